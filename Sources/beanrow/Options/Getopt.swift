/// Rewrites beanstalkd's command line, which `getopt` reads, for the argument parser: it separates clustered flags
/// (`-VFu nobody`) and values that follow their flag directly (`-p11300`), and keeps only the last of `-f` and `-F`.
enum Getopt {
    private static let flagsWithValue: Set<Character> = ["b", "f", "l", "p", "s", "u", "z"]

    static func expand(_ arguments: [String]) -> [String] {
        var expanded: [String] = []
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            guard argument.hasPrefix("-"), !argument.hasPrefix("--"), argument.count > 1 else {
                expanded.append(argument)
                // The value of a long option is not a cluster of flags.
                if argument.hasPrefix("--"), !argument.contains("="), let next = rest.first, !next.hasPrefix("-") {
                    expanded.append(rest.removeFirst())
                }
                continue
            }
            expanded += expandCluster(argument, &rest)
        }
        return keepLastDurability(expanded)
    }

    private static func expandCluster(_ cluster: String, _ rest: inout ArraySlice<String>) -> [String] {
        var expanded: [String] = []
        var letters = cluster.dropFirst()
        while let letter = letters.popFirst() {
            expanded.append("-\(letter)")
            guard flagsWithValue.contains(letter) else { continue }
            if !letters.isEmpty {
                expanded.append(String(letters))
            } else if let value = rest.popFirst() {
                expanded.append(value)
            }
            break
        }
        return expanded
    }

    private static func keepLastDurability(_ arguments: [String]) -> [String] {
        var positions: [(at: Int, length: Int)] = []
        var at = 0
        while at < arguments.count {
            let letter = arguments[at].count == 2 && arguments[at].hasPrefix("-") ? arguments[at].last : nil
            let length = letter.map { flagsWithValue.contains($0) } ?? false ? 2 : 1
            if letter == "f" || letter == "F" { positions.append((at, length)) }
            at += length
        }
        var kept = arguments
        for (at, length) in positions.dropLast().reversed() {
            kept.removeSubrange(at..<min(at + length, kept.count))
        }
        return kept
    }
}
