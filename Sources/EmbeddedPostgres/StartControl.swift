import Synchronization

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// Ends a start of the embedded PostgreSQL that is under way on another thread, so that nothing of it stays behind.
public final class StartControl: Sendable {
    private struct State {
        var isCancelled = false
        /// The program of PostgreSQL's that runs just now, which leads a process group of its own.
        var child: pid_t?
        /// Known once its directory is.
        var cluster: Cluster?
    }

    private let state = Mutex(State())

    public init() {}

    /// Whether the end has been asked for.
    public var isCancelled: Bool { state.withLock { $0.isCancelled } }

    /// Ends the start in order: it throws `EmbeddedPostgresError.cancelled` as soon as what it had started has ended.
    /// One that has come to its end, or comes later, is not affected otherwise than that it cannot be done again.
    public func cancel() {
        state.withLock { state in
            state.isCancelled = true
            // What a terminal sends: initdb removes what it has made, and pg_ctl passes it on to the postmaster.
            if let child = state.child { kill(-child, SIGINT) }
        }
    }

    /// Ends all programs at once, PostgreSQL without a checkpoint. Waits up to 3 s. For a process that is about to end.
    public func abort() {
        let (cluster, wasStarting) = state.withLock { state in
            state.isCancelled = true
            if let child = state.child { kill(-child, SIGKILL) }
            return (state.cluster, state.child != nil)
        }
        cluster?.abort(mayStillCome: wasStarting)
    }

    /// - Throws: `EmbeddedPostgresError.cancelled` if the end has been asked for.
    func check() throws {
        if isCancelled { throw EmbeddedPostgresError.cancelled }
    }

    func use(_ cluster: Cluster) {
        state.withLock { $0.cluster = cluster }
    }

    /// Starts a program that is ended with the start; `childHasEnded` has to follow before it is waited for.
    func spawn(_ body: () throws -> pid_t) throws -> pid_t {
        try state.withLock { state in
            if state.isCancelled { throw EmbeddedPostgresError.cancelled }
            let child = try body()
            state.child = child
            return child
        }
    }

    func childHasEnded() {
        state.withLock { $0.child = nil }
    }
}
