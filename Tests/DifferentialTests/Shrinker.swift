/// Shortens a history as long as it shows the same difference.
struct Shrinker {
    /// The number of runs that are left.
    private var left: Int
    private let run: (History) throws -> Difference?

    init(runs: Int, run: @escaping (History) throws -> Difference?) {
        left = runs
        self.run = run
    }

    /// - Returns: The shortest history found, and its difference; the given ones if none is shorter.
    mutating func shrink(_ history: History, _ difference: Difference) throws -> (History, Difference) {
        var best = (history: history, difference: difference)
        best.history.steps = Array(best.history.steps.prefix(difference.step + 1))
        var size = best.history.steps.count / 2
        while size >= 1 {
            var end = best.history.steps.count
            while end > 0 {
                let start = max(0, end - size)
                var shorter = best.history
                shorter.steps.removeSubrange(start..<end)
                try attempt(shorter, &best)
                end = start
            }
            size /= 2
        }
        try shrinkPackets(&best)
        return best
    }

    /// Removes single messages and cuts from steps that send several messages.
    private mutating func shrinkPackets(_ best: inout (history: History, difference: Difference)) throws {
        var index = best.history.steps.count - 1
        while index >= 0 {
            defer { index -= 1 }
            guard index < best.history.steps.count, case .send(let client, let all, _) = best.history.steps[index]
            else { continue }
            var shorter = best.history
            shorter.steps[index] = .send(client, all, cuts: [])
            try attempt(shorter, &best)
            for at in all.indices.reversed() {
                guard index < best.history.steps.count,
                    case .send(_, var messages, let cuts) = best.history.steps[index],
                    messages.count > 1, at < messages.count
                else { continue }
                messages.remove(at: at)
                shorter = best.history
                shorter.steps[index] = .send(client, messages, cuts: cuts)
                try attempt(shorter, &best)
            }
        }
    }

    private mutating func attempt(_ history: History, _ best: inout (history: History, difference: Difference)) throws {
        guard left > 0 else { return }
        left -= 1
        guard let difference = try run(history), difference.kind == best.difference.kind else { return }
        best = (history, difference)
        best.history.steps = Array(history.steps.prefix(difference.step + 1))
    }
}
