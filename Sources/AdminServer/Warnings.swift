import Synchronization

/// The number of warnings, which is read again at most every 10 s while somebody looks, and never waited for.
final class WarningCounter: Sendable {
    private struct State {
        var count = 0
        var readAt: ContinuousClock.Instant?
    }

    private let state = Mutex(State())

    func count(_ read: @escaping @Sendable () async throws -> Int) -> Int {
        let (count, isDue) = state.withLock { state in
            let isDue = state.readAt.map { .now - $0 > .seconds(10) } ?? true
            if isDue { state.readAt = .now }
            return (state.count, isDue)
        }
        if isDue {
            Task {
                guard let count = try? await read() else { return }
                state.withLock { $0.count = count }
            }
        }
        return count
    }
}
