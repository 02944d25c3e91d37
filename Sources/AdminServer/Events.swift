import AdminAPI
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore
import NIOFoundationCompat
import PostgresStore

import struct AdminAPI.Operation

/// Server-sent events: the overview, and the table of tubes if it is asked for, once a second.
extension Site {
    /// Streams at most.
    static let streamLimit = 256

    func events(_ call: Call) async throws -> Response {
        try call.query.allow(["view"] + TubeTable.parameters)
        let showsTubes = try call.query.choice("view", ["overview", "tubes"]) == "tubes"
        let table = try TubeTable(call.query)
        guard live.viewers < Site.streamLimit else {
            throw Problem(status: 503, title: "There are \(Site.streamLimit) streams of events already.")
        }
        // Before the viewer can do anything: whatever it begins then is news.
        let news = try await OperationNews(self)
        let (viewer, shown) = (call.viewer, showsTubes ? table : nil)
        let key = "\(viewer.mayAct) \(viewer.name ?? "") \(shown.map { "\($0)" } ?? "")"
        return Response(
            status: .ok,
            headers: [.contentType: "text/event-stream", .cacheControl: "no-store", .xAccelBuffering: "no"],
            body: .init { [self] writer in
                var news = news
                try await writer.write(ByteBuffer(string: "retry: 1000\n\n"))
                for await var bytes in live.watch(key, { [self] in show($0, shown, viewer) }) {
                    for operation in try await news.next() { try bytes.write(event: "operation", json: operation) }
                    try await writer.write(bytes)
                }
                try await writer.finish(nil)
            })
    }

    /// The events of a frame.
    private func show(_ frame: Frame, _ table: TubeTable?, _ viewer: Viewer) -> ByteBuffer {
        var bytes = ByteBuffer()
        do {
            try bytes.write(event: "overview", json: Overview(frame, self, viewer, warnings: warningCount()))
        } catch {
            // A comment keeps the stream alive.
            bytes.writeString(":\n\n")
        }
        if let table { bytes.write(event: "tubes", table.page(frame).json) }
        return bytes
    }
}

extension ByteBuffer {
    fileprivate mutating func write(event name: String, json value: some Encodable) throws {
        write(event: name, ByteBuffer(bytes: try AdminAPI.encoder().encode(value)))
    }

    fileprivate mutating func write(event name: String, _ data: ByteBuffer) {
        writeString("event: \(name)\ndata: ")
        writeImmutableBuffer(data)
        writeString("\n\n")
    }
}

/// Tells a viewer what changed in operations.
private struct OperationNews {
    private let site: Site
    /// The time of the operation that was written last, of those that have been told.
    private var told: Date?
    /// The operations that ran when the stream began.
    private var running: [Operation] = []

    init(_ site: Site) async throws {
        self.site = site
        running = try await changed()
    }

    /// The operations that have changed since the last call; at the first, those too that ran before.
    mutating func next() async throws -> [Operation] {
        let news = try await running + changed()
        running = []
        return news
    }

    private mutating func changed() async throws -> [Operation] {
        guard let store = try? site.store else { return [] }
        let all = await site.operations.newest(isBusy: !site.running.isEmpty) { try await store.operations() }
        let last = told
        told = all.map(\.updatedAt).max() ?? last ?? .distantPast
        return all.reversed().filter { operation in
            last.map { operation.updatedAt > $0 } ?? (operation.state == "running")
        }
    }
}

extension HTTPField.Name {
    /// Proxies shall pass events on at once.
    static let xAccelBuffering = HTTPField.Name("X-Accel-Buffering")!
}
