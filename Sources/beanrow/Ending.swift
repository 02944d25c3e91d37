import EmbeddedPostgres
import Foundation
import Synchronization
import UnixSignals

/// What SIGTERM and SIGINT do: the first asks for an orderly end, the second ends the process at once. SIGQUIT does so
/// by itself.
///
/// They are heard from the beginning: what has been started must be stopped, whenever the signal comes.
final class Ending: Sendable {
    private struct State {
        /// The signal that has asked first.
        var asked: Int32?
        /// Whether the process ends at once, by the signal heard last.
        var isAtOnce = false
        /// What the first signal does.
        var request: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())
    /// Ends what must not stay behind.
    private let cluster: StartControl

    /// - Parameters:
    ///   - cluster: The PostgreSQL that the process takes along when it ends at once.
    ///   - hangup: Whether SIGHUP asks for the end too.
    init(takingAlong cluster: StartControl, hangup: Bool = false) async {
        self.cluster = cluster
        let signals = await UnixSignalsSequence(
            trapping: [.sigterm, .sigint, .sigquit] + (hangup ? [.sighup] : []))
        Task.detached { [self] in
            for await signal in signals { heard(signal) }
        }
    }

    /// Whether the process has been asked to end.
    var isAsked: Bool { state.withLock { $0.asked != nil } }

    /// The status of a process that the signal has ended before it was done, as a shell tells it.
    var status: Int32? { state.withLock { $0.asked.map { 128 + $0 } } }

    /// To be called before the process ends by itself: if a signal is ending it, it ends as that says. What the signal
    /// has ended would else look like a failure.
    func giveWay() async {
        while state.withLock({ $0.isAtOnce }) { try? await Task.sleep(for: .seconds(1)) }
    }

    /// Has this done, instead of what was said before, when the process is asked to end; at once if it has been.
    func whenAsked(_ request: @escaping @Sendable () -> Void) {
        let isAsked = state.withLock { state in
            state.request = request
            return state.asked != nil
        }
        if isAsked { request() }
    }

    /// Ends the process by the signal that has asked for it: nothing is under way that has an end of its own.
    func endNow() {
        _exit(status ?? 0)
    }

    private func heard(_ signal: UnixSignal) {
        let number: Int32 =
            switch signal {
            case .sigint: SIGINT
            case .sigquit: SIGQUIT
            case .sighup: SIGHUP
            default: SIGTERM
            }
        let (isAtOnce, request) = state.withLock { state in
            state.isAtOnce = state.asked != nil || number == SIGQUIT
            state.asked = state.asked ?? number
            return (state.isAtOnce, state.request)
        }
        if !isAtOnce {
            request?()
        } else {
            cluster.abort()
            // As a shell tells of a process that the signal has ended: 143, 130 and 131.
            _exit(128 + number)
        }
    }
}
