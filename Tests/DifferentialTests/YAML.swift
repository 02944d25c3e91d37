/// The documents in the replies of the `stats` and `list` commands.
enum YAML {
    /// The lines of a document, without the first.
    static func lines(_ reply: Reply) -> [String]? {
        guard case .withBody(let line, let body) = reply, line.hasPrefix("OK ") else { return nil }
        let text = String(decoding: body, as: UTF8.self)
        guard text.hasPrefix("---\n"), text.hasSuffix("\n") else { return nil }
        return text.split(separator: "\n").dropFirst().map(String.init)
    }

    /// A line of a mapping.
    static func entry(_ line: String) -> (key: String, value: String)? {
        guard let colon = line.firstRange(of: ": ") else { return nil }
        return (String(line[..<colon.lowerBound]), String(line[colon.upperBound...]))
    }

    static func mapping(_ reply: Reply) -> [String: String]? {
        guard let lines = lines(reply) else { return nil }
        return Dictionary(lines.compactMap { entry($0) }.map { ($0.key, $0.value) }) { $1 }
    }
}
