import PostgresStore
import Synchronization

/// What the database says of itself, asked at most every 10 s and only while somebody scrapes.
final class DatabaseWatch: Sendable {
    private static let interval = Duration.seconds(10)
    /// A scrape waits so long for the answer; then it goes without, and the next one has it.
    private static let patience = Duration.seconds(1)
    /// What is older is not told any more.
    private static let lifetime = Duration.seconds(90)

    private struct State {
        var askedAt: ContinuousClock.Instant?
        var answer: DatabaseMetrics?
        var answeredAt = ContinuousClock.now
    }

    private let state = Mutex(State())

    /// What is known, after an attempt to know it if that is due.
    func metrics(_ ask: @escaping @Sendable () async throws -> DatabaseMetrics) async -> DatabaseMetrics? {
        let isDue = state.withLock { state in
            if let at = state.askedAt, .now - at < DatabaseWatch.interval { return false }
            state.askedAt = .now
            return true
        }
        if isDue { await refresh(ask) }
        return state.withLock { state in
            .now - state.answeredAt < DatabaseWatch.lifetime ? state.answer : nil
        }
    }

    private func refresh(_ ask: @escaping @Sendable () async throws -> DatabaseMetrics) async {
        let (end, continuation) = AsyncStream<Void>.makeStream()
        Task {
            let answer = try? await ask()
            state.withLock { state in
                state.answer = answer
                state.answeredAt = .now
            }
            continuation.finish()
        }
        let timer = Task {
            try? await Task.sleep(for: DatabaseWatch.patience)
            continuation.finish()
        }
        for await _ in end {}
        timer.cancel()
    }
}
