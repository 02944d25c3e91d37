/// The YAML that beanstalkd's protocol answers with: a dictionary of scalars, or a list of them.
enum StatsReply {
    static func dictionary(_ text: String) -> [String: String] {
        text.split(separator: "\n").reduce(into: [:]) { values, line in
            guard let colon = line.firstRange(of: ": ") else { return }
            values[String(line[..<colon.lowerBound])] = scalar(line[colon.upperBound...])
        }
    }

    static func list(_ text: String) -> [String] {
        text.split(separator: "\n").filter { $0.hasPrefix("- ") }.map { scalar($0.dropFirst(2)) }
    }

    /// Newer servers put names in quotation marks. A tube's name cannot have any in it.
    private static func scalar(_ text: Substring) -> String {
        let text = text.hasSuffix("\r") ? text.dropLast() : text
        for mark in ["\"", "'"] where text.count >= 2 && text.hasPrefix(mark) && text.hasSuffix(mark) {
            return String(text.dropFirst().dropLast())
        }
        return String(text)
    }
}
