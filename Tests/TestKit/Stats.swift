/// The YAML mapping of a `stats`, `stats-tube` or `stats-job` reply.
public struct Stats: Sendable {
    /// In the order of the reply.
    public let keys: [String]
    /// The values as they were printed, quotes included.
    public let raw: [String: String]

    /// Reads the body of a reply, from `---` to the last newline.
    init(yaml: String) throws {
        var lines = yaml.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        guard lines.first == "---", lines.last == "" else {
            throw WireMismatch("no YAML document: \(quoted(yaml))")
        }
        lines = Array(lines.dropFirst().dropLast())
        var keys: [String] = []
        var raw: [String: String] = [:]
        for line in lines {
            guard let colon = line.firstRange(of: ": ") else {
                throw WireMismatch("no `key: value` line in a stats reply: \(quoted(line))")
            }
            let key = String(line[..<colon.lowerBound])
            keys.append(key)
            raw[key] = String(line[colon.upperBound...])
        }
        self.keys = keys
        self.raw = raw
    }

    /// The value of a key, without quotes: beanstalkd quotes names since 1.13 only.
    public subscript(key: String) -> String? {
        guard let value = raw[key] else { return nil }
        guard value.count >= 2, value.hasPrefix("\""), value.hasSuffix("\"") else { return value }
        return String(value.dropFirst().dropLast())
    }

    /// The value of a key that holds a number.
    public func number(_ key: String) throws -> Int {
        guard let value = self[key], let number = Int(value) else {
            throw WireMismatch("no number under \(key) in \(raw)")
        }
        return number
    }

    /// Throws unless each of the keys has the value given for it.
    public func expect(
        _ expected: KeyValuePairs<String, String>,
        fileID: String = #fileID,
        line: Int = #line
    ) throws {
        for (key, value) in expected where self[key] != value {
            throw WireMismatch(
                "\(key) is \(self[key] ?? "missing"), not \(value), in \(raw)", fileID: fileID, line: line)
        }
    }
}

/// The text with its control characters escaped, cut after some hundred characters.
func quoted(_ text: String) -> String {
    let shown = text.unicodeScalars.count > 300 ? String(text.prefix(300)) + "..." : text
    return String(reflecting: shown)
}
