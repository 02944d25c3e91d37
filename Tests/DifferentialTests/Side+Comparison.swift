/// The parts of replies on which both servers must agree.
extension Side {
    /// The keys of `stats` that count from the start of the server.
    private static let isCounter: @Sendable (String) -> Bool = {
        $0.hasPrefix("cmd-") || ["job-timeouts", "total-jobs", "total-connections"].contains($0)
    }

    /// The reply with names instead of job ids, with counters since the beginning of the history, and without values that
    /// cannot agree.
    func comparable(_ reply: Reply) -> [String] {
        switch reply {
        case .closed: ["(closed)"]
        case .line(let line): [withNames(line)]
        case .withBody(let line, let body):
            if let lines = YAML.lines(reply) {
                // The number of bytes depends on the digits of the ids.
                ["OK"] + document(lines)
            } else {
                [withNames(line), visible(body)]
            }
        }
    }

    private func withNames(_ line: String) -> String {
        var words = line.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        if words.count >= 2, ["INSERTED", "RESERVED", "FOUND"].contains(words[0]) {
            words[1] = names[words[1]] ?? words[1]
        }
        return words.joined(separator: " ")
    }

    private func document(_ lines: [String]) -> [String] {
        let entries = lines.map { YAML.entry($0) }
        let keys = entries.compactMap { $0?.key }
        // A list, or not YAML.
        guard keys.count == lines.count else { return lines }
        let isOfServer = keys.contains("pid")
        let isOfDefault = keys.first == "name" && entries[0]!.value == "default"
        return entries.compactMap { entry in
            let (key, value) = entry!
            if key == IntendedDifference.ownKey { return nil }
            if isOfServer, IntendedDifference.isUncomparable(key) { return "\(key): (any)" }
            if key == "id" { return "id: \(names[value] ?? value)" }
            guard Self.isCounter(key), let number = Int(value) else { return "\(key): \(value)" }
            if isOfServer {
                let others = key == "cmd-stats" ? uncounted : 0
                return "\(key): \(number - (counters[key] ?? 0) - others)"
            }
            return "\(key): \(number - (isOfDefault ? tubeCounters[key] ?? 0 : 0))"
        }
    }
}
