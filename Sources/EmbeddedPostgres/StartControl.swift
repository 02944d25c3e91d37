import Synchronization

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// Cancels a start of the embedded PostgreSQL that is under way on another thread. Nothing of it stays behind.
public final class StartControl: Sendable {
    private struct State {
        var isCancelled = false
        /// The program that runs now. It leads a process group of its own.
        var child: pid_t?
        /// Known once the data directory is prepared.
        var cluster: Cluster?
    }

    private let state = Mutex(State())

    /// A control for one start, which has not been cancelled.
    public init() {}

    /// Whether the start has been cancelled.
    public var isCancelled: Bool { state.withLock { $0.isCancelled } }

    /// Cancels the start in order: it throws `EmbeddedPostgresError.cancelled` when the programs that it has started
    /// have ended. A start that is complete is not affected; a later start with this control throws at once.
    public func cancel() {
        state.withLock { state in
            state.isCancelled = true
            // On SIGINT initdb removes what it has made, and pg_ctl passes the signal on to the postmaster.
            if let child = state.child { kill(-child, SIGINT) }
        }
    }

    /// Ends all programs at once, and PostgreSQL without a checkpoint. Waits up to 3 s. For a process that is ending.
    public func abort() {
        let (cluster, wasStarting) = state.withLock { state in
            state.isCancelled = true
            if let child = state.child { kill(-child, SIGKILL) }
            return (state.cluster, state.child != nil)
        }
        cluster?.abort(mayStillCome: wasStarting)
    }

    /// - Throws: `EmbeddedPostgresError.cancelled` if the start has been cancelled.
    func check() throws {
        if isCancelled { throw EmbeddedPostgresError.cancelled }
    }

    func use(_ cluster: Cluster) {
        state.withLock { $0.cluster = cluster }
    }

    /// Starts a program that ends when the start is cancelled. Call `childHasEnded` before waiting for its exit status.
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
