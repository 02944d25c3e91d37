import EmbeddedPostgres
import Foundation
import Synchronization
import UnixSignals

/// What SIGTERM and SIGINT do: the first asks for an orderly end, the second ends the process at once.
///
/// They are heard from the beginning: what has been started must be stopped, whenever the signal comes.
final class Ending: Sendable {
    private struct State {
        var isAsked = false
        /// What the first signal does.
        var request: (@Sendable () -> Void)?
        /// What must not stay behind.
        var cluster: RunningCluster?
    }

    private let state = Mutex(State())

    init() async {
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        Task.detached { [self] in
            for await signal in signals { heard(signal) }
        }
    }

    /// Whether the process has been asked to end.
    var isAsked: Bool { state.withLock { $0.isAsked } }

    /// Has this done, instead of what was said before, when the process is asked to end; at once if it has been.
    func whenAsked(_ request: @escaping @Sendable () -> Void) {
        let isAsked = state.withLock { state in
            state.request = request
            return state.isAsked
        }
        if isAsked { request() }
    }

    /// Takes this PostgreSQL along when the process ends at once.
    func takeAlong(_ cluster: RunningCluster) {
        state.withLock { $0.cluster = cluster }
    }

    private func heard(_ signal: UnixSignal) {
        let (isFirst, request, cluster) = state.withLock { state in
            defer { state.isAsked = true }
            return (!state.isAsked, state.request, state.cluster)
        }
        if isFirst {
            request?()
        } else {
            cluster?.abort()
            // As a shell tells of a process that the signal has ended: 143 and 130.
            _exit(128 + (signal == .sigint ? SIGINT : SIGTERM))
        }
    }
}
