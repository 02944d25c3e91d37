import EmbeddedPostgres
import Synchronization
import UnixSignals

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// What SIGTERM, SIGINT and SIGQUIT do. The first SIGTERM or SIGINT requests an orderly end; the second, or a SIGQUIT,
/// ends the process at once.
///
/// The signals are caught from the beginning, since what has been started must be stopped whenever a signal comes.
final class Termination: Sendable {
    private struct State {
        /// The first signal that requested the end.
        var signal: Int32?
        /// The last signal ends the process at once.
        var isImmediate = false
        /// What the first signal does.
        var handler: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())
    private let cluster: StartControl

    /// - Parameters:
    ///   - cluster: Controls the PostgreSQL that ends with the process when that ends at once.
    ///   - hangup: Whether SIGHUP requests the end too.
    init(aborting cluster: StartControl, hangup: Bool = false) async {
        self.cluster = cluster
        let signals = await UnixSignalsSequence(
            trapping: [.sigterm, .sigint, .sigquit] + (hangup ? [.sighup] : []))
        Task.detached { [self] in
            for await signal in signals { received(signal) }
        }
    }

    /// Whether the end of the process has been requested.
    var isRequested: Bool { state.withLock { $0.signal != nil } }

    /// The exit status of a process that a signal ended before it was done, as a shell reports it; `nil` without one.
    var status: Int32? { state.withLock { $0.signal.map { 128 + $0 } } }

    /// To be called before the process ends by itself. If a signal is ending the process at once, this waits for that
    /// end: the failures that the signal causes must not be reported, nor set the exit status.
    func waitIfImmediate() async {
        while state.withLock({ $0.isImmediate }) { try? await Task.sleep(for: .seconds(1)) }
    }

    /// Sets what a request for the end does, in place of the previous handler. If the end has been requested already,
    /// the handler is called at once.
    func whenRequested(_ handler: @escaping @Sendable () -> Void) {
        let isRequested = state.withLock { state in
            state.handler = handler
            return state.signal != nil
        }
        if isRequested { handler() }
    }

    /// Ends the process with the status of the signal that requested it. For a time when nothing has to be stopped.
    func endNow() {
        _exit(status ?? 0)
    }

    private func received(_ signal: UnixSignal) {
        let number: Int32 =
            switch signal {
            case .sigint: SIGINT
            case .sigquit: SIGQUIT
            case .sighup: SIGHUP
            default: SIGTERM
            }
        let (isImmediate, handler) = state.withLock { state in
            state.isImmediate = state.signal != nil || number == SIGQUIT
            state.signal = state.signal ?? number
            return (state.isImmediate, state.handler)
        }
        if !isImmediate {
            handler?()
        } else {
            cluster.abort()
            // The status that a shell reports for a process ended by the signal: 143, 130 or 131.
            _exit(128 + number)
        }
    }
}
