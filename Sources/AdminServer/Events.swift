import AdminAPI
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore
import NIOFoundationCompat
import PostgresStore
import Synchronization

import struct AdminAPI.Operation

/// Server-sent events: the overview, and the table of tubes if it is asked for, once a second.
extension Site {
    /// Streams at most.
    static let streamLimit = 256

    func events(_ call: Call) async throws -> Response {
        try call.query.allow(["view"] + TubeTable.parameters)
        let showsTubes = try call.query.choice("view", ["overview", "tubes"]) == "tubes"
        let table = try TubeTable(call.query)
        let viewer = call.viewer
        guard streams.withLock({ $0 < Site.streamLimit }) else {
            throw Problem(status: 503, title: "There are \(Site.streamLimit) streams of events already.")
        }
        var stream = Stream(site: self, viewer: viewer, table: showsTubes ? table : nil, key: "\(table)")
        // Before the viewer can do anything: whatever it begins then is news.
        try await stream.begin()
        let begun = stream
        return Response(
            status: .ok,
            headers: [.contentType: "text/event-stream", .cacheControl: "no-store", .xAccelBuffering: "no"],
            body: .init { [self] writer in
                streams.withLock { $0 += 1 }
                defer { streams.withLock { $0 -= 1 } }
                var stream = begun
                try await writer.write(ByteBuffer(string: "retry: 1000\n\n"))
                while !Task.isCancelled {
                    for bytes in try await stream.next() { try await writer.write(bytes) }
                    try await Task.sleep(for: Site.timeToNextSecond())
                }
                try await writer.finish(nil)
            })
    }

    /// An event, made once for all who see the same.
    fileprivate func event(_ name: String, _ key: String, _ make: (Frame) throws -> ByteBuffer) rethrows -> ByteBuffer {
        try live.answer("event \(key)") { frame in
            var bytes = ByteBuffer(string: "event: \(name)\ndata: ")
            var data = try make(frame)
            bytes.writeBuffer(&data)
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

/// What one viewer has been sent.
private struct Stream {
    let site: Site
    let viewer: Viewer
    let table: TubeTable?
    let key: String
    private var sentFrame = -1
    /// The time of the operation that was written last, of those that have been sent.
    private var sentOperation: Date?
    /// The operations that ran when the stream began.
    private var running: [Operation] = []

    init(site: Site, viewer: Viewer, table: TubeTable?, key: String) {
        self.site = site
        self.viewer = viewer
        self.table = table
        self.key = key
    }

    mutating func begin() async throws { running = try await operations() }

    /// The events of this second; a comment if there is nothing to tell.
    mutating func next() async throws -> [ByteBuffer] {
        var events: [ByteBuffer] = []
        let frame = site.live.frame()
        if frame.number != sentFrame {
            sentFrame = frame.number
            let (site, viewer) = (site, viewer)
            events.append(
                try site.event("overview", "overview \(viewer)") { frame in
                    ByteBuffer(
                        bytes: try AdminAPI.encoder().encode(
                            Overview(frame, site, viewer, warnings: site.warningCount())))
                })
            if let table {
                events.append(
                    site.event("tubes", "tubes \(key)") { table.page($0).json })
            }
        }
        let changed = try await running + operations()
        running = []
        for operation in changed {
            var bytes = ByteBuffer(string: "event: operation\ndata: ")
            bytes.writeBytes(try AdminAPI.encoder().encode(operation))
            bytes.writeString("\n\n")
            events.append(bytes)
        }
        return events.isEmpty ? [ByteBuffer(string: ":\n\n")] : events
    }

    /// The operations that have changed since the last call; at the first, those that run.
    private mutating func operations() async throws -> [Operation] {
        guard let store = try? site.store else { return [] }
        let all = await site.operations.newest(isBusy: !site.running.isEmpty) { try await store.operations() }
        let sent = sentOperation
        sentOperation = all.map(\.updatedAt).max() ?? sent ?? .distantPast
        return all.reversed().filter { operation in
            sent.map { operation.updatedAt > $0 } ?? (operation.state == "running")
        }
    }
}

extension HTTPField.Name {
    /// Proxies shall pass events on at once.
    static let xAccelBuffering = HTTPField.Name("X-Accel-Buffering")!
}
