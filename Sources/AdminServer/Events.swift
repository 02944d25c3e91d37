import AdminAPI
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore
import NIOFoundationCompat
import Synchronization

/// Server-sent events: the overview, and the table of tubes if it is asked for, once a second.
extension Site {
    /// Streams at most.
    static let streamLimit = 256

    func events(_ call: Call) throws -> Response {
        try call.query.allow(["view"] + TubeTable.parameters)
        let showsTubes = try call.query.choice("view", ["overview", "tubes"]) == "tubes"
        let table = try TubeTable(call.query)
        let viewer = call.viewer
        guard
            streams.withLock({ count in
                guard count < Site.streamLimit else { return false }
                count += 1
                return true
            })
        else { throw Problem(status: 503, title: "There are \(Site.streamLimit) streams of events already.") }
        let key = "\(table)"
        return Response(
            status: .ok,
            headers: [.contentType: "text/event-stream", .cacheControl: "no-store", .xAccelBuffering: "no"],
            body: .init { [self] writer in
                defer { streams.withLock { $0 -= 1 } }
                var sent = -1
                try await writer.write(ByteBuffer(string: "retry: 1000\n\n"))
                while !Task.isCancelled {
                    let frame = live.frame()
                    if frame.number != sent {
                        sent = frame.number
                        try await writer.write(
                            try event("overview", "overview \(viewer)") { frame in
                                try AdminAPI.encoder().encode(
                                    Overview(frame, self, viewer, warnings: self.warningCount()))
                            })
                        if showsTubes {
                            try await writer.write(
                                try event("tubes", "tubes \(key)") { frame in
                                    try AdminAPI.encoder().encode(table.page(frame))
                                })
                        }
                    } else {
                        try await writer.write(ByteBuffer(string: ":\n\n"))
                    }
                    try await Task.sleep(for: Site.timeToNextSecond())
                }
                try await writer.finish(nil)
            })
    }

    /// An event, made once for all who see the same.
    private func event(_ name: String, _ key: String, _ make: (Frame) throws -> Data) rethrows -> ByteBuffer {
        try live.answer("event \(key)") { frame in
            var bytes = ByteBuffer(string: "event: \(name)\ndata: ")
            bytes.writeBytes(try make(frame))
            bytes.writeString("\n\n")
            return bytes
        }
    }

    /// All streams wake at the same moment, so that they share a frame.
    private static func timeToNextSecond() -> Duration {
        let milliseconds = Int64(Date().timeIntervalSince1970 * 1000) % 1000
        return .milliseconds(1000 - milliseconds)
    }
}

extension HTTPField.Name {
    /// Proxies shall pass events on at once.
    static let xAccelBuffering = HTTPField.Name("X-Accel-Buffering")!
}
