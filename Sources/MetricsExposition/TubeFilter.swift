import QueueCore
import Synchronization

/// Chooses the tubes that get series of their own, by a regular expression that the whole name must match.
public final class TubeFilter: Sendable {
    private struct State {
        let pattern: Regex<AnyRegexOutput>
        /// What was decided: a match costs far more than a look.
        var decisions: [TubeName: Bool] = [:]
    }

    private let state: Mutex<State>

    /// - Throws: If the pattern is no regular expression; the error says where.
    public init(_ pattern: String) throws {
        state = Mutex(State(pattern: try Regex(pattern)))
    }

    /// The tubes of these that match, in the same order.
    func choose(_ tubes: [TubeSnapshot]) -> [TubeSnapshot] {
        state.withLock { state in
            // Tubes come and go: what was decided of tubes that are gone is forgotten.
            if state.decisions.count > 2 * tubes.count + 1000 { state.decisions = [:] }
            return tubes.filter { tube in
                if let decision = state.decisions[tube.name] { return decision }
                let decision = tube.name.description.wholeMatch(of: state.pattern) != nil
                state.decisions[tube.name] = decision
                return decision
            }
        }
    }
}
