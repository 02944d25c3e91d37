import NIOCore
import Synchronization

/// Those who see each frame.
///
/// A viewer that is slow misses frames; it gets the newest one when it is ready again.
final class Audience: Sendable {
    typealias Make = @Sendable (Frame) -> ByteBuffer

    /// Viewers who see the same.
    private struct Group {
        var make: Make
        var viewers: [Int: AsyncStream<ByteBuffer>.Continuation] = [:]
    }

    private struct State {
        var groups: [String: Group] = [:]
        var lastViewer = 0
        var isOver = false
    }

    private let state = Mutex(State())

    var count: Int { state.withLock { $0.groups.values.reduce(0) { $0 + $1.viewers.count } } }

    /// A stream that begins with `first`. It ends when the listener does.
    func join(_ key: String, _ make: @escaping Make, first: ByteBuffer) -> AsyncStream<ByteBuffer> {
        let (stream, continuation) = AsyncStream.makeStream(of: ByteBuffer.self, bufferingPolicy: .bufferingNewest(1))
        continuation.yield(first)
        let viewer: Int? = state.withLock { state in
            guard !state.isOver else { return nil }
            state.lastViewer += 1
            state.groups[key, default: Group(make: make)].viewers[state.lastViewer] = continuation
            return state.lastViewer
        }
        guard let viewer else {
            continuation.finish()
            return stream
        }
        continuation.onTermination = { [weak self] _ in self?.leave(viewer, key) }
        return stream
    }

    func show(_ frame: Frame) {
        for group in state.withLock({ Array($0.groups.values) }) {
            let bytes = group.make(frame)
            for viewer in group.viewers.values { viewer.yield(bytes) }
        }
    }

    /// Ends all streams.
    func leave() {
        let groups = state.withLock { state in
            state.isOver = true
            return Array(state.groups.values)
        }
        for group in groups { for viewer in group.viewers.values { viewer.finish() } }
    }

    private func leave(_ viewer: Int, _ key: String) {
        state.withLock { state in
            state.groups[key]?.viewers[viewer] = nil
            if state.groups[key]?.viewers.isEmpty == true { state.groups[key] = nil }
        }
    }
}
