import TestKit
import Testing

/// The text of a scrape, parsed.
struct Exposition {
    struct Sample: Equatable {
        let name: String
        let labels: [String: String]
        let value: Double
    }

    var types: [String: String] = [:]
    var helps: [String: String] = [:]
    var samples: [Sample] = []

    init(_ bytes: [UInt8]) throws { try self.init(String(decoding: bytes, as: UTF8.self)) }

    /// - Throws: `WireMismatch` with the line that is none of the format.
    init(_ text: String) throws {
        for line in text.split(separator: "\n") {
            if let found = line.wholeMatch(of: /# (HELP|TYPE) ([a-zA-Z_:][\w:]*) (.*)/) {
                let (name, rest) = (String(found.2), String(found.3))
                if found.1 == "HELP" { helps[name] = rest } else { types[name] = rest }
            } else if let found = line.wholeMatch(of: /([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/) {
                guard let value = Double(found.3) else { throw WireMismatch("no number: \(line)") }
                samples.append(
                    Sample(name: String(found.1), labels: try Self.labels(found.2 ?? ""), value: value))
            } else {
                throw WireMismatch("not of the format: \(line)")
            }
        }
    }

    private static func labels(_ text: Substring) throws -> [String: String] {
        var labels: [String: String] = [:]
        var rest = text
        while !rest.isEmpty {
            guard let found = rest.prefixMatch(of: /,?([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/) else {
                throw WireMismatch("no labels: \(text)")
            }
            labels[String(found.1)] = String(found.2).replacing(#/\\(.)/#) { match in
                match.1 == "n" ? "\n" : String(match.1)
            }
            rest = rest[found.range.upperBound...]
        }
        return labels
    }

    /// The names of the families that have a type.
    var families: Set<String> { Set(types.keys) }

    /// The value of the only sample with these labels, or nil.
    func value(_ name: String, _ labels: [String: String] = [:]) -> Double? {
        let found = samples.filter { $0.name == name && $0.labels == labels }
        return found.count == 1 ? found[0].value : nil
    }
}
