import AdminAPI
import Foundation

/// The query of a URL, read strictly: an unknown name is told, not ignored.
struct Query: Sendable, Hashable {
    /// As it was sent.
    let text: String
    private var values: [String: [String]] = [:]

    init(_ text: String?) throws {
        self.text = text ?? ""
        for pair in self.text.split(separator: "&", omittingEmptySubsequences: true) {
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = Query.decode(sides[0]), let value = Query.decode(sides.count > 1 ? sides[1] : "") else {
                throw Problem(status: 400, title: "The query is not percent-encoded UTF-8.")
            }
            values[name, default: []].append(value)
        }
    }

    private static func decode(_ text: Substring) -> String? {
        text.replacing("+", with: " ").removingPercentEncoding
    }

    /// Refuses names that are not among these.
    func allow(_ names: String...) throws { try allow(names) }

    func allow(_ names: [String]) throws {
        for (name, values) in values {
            guard names.contains(name) else {
                throw Problem(
                    status: 400, title: "There is no parameter \(name.prefix(100)).",
                    hint: names.isEmpty ? "This path takes none." : "There are \(names.joined(separator: ", ")).")
            }
            if name != "tube", values.count > 1 { throw bad(name, "is given more than once") }
        }
    }

    /// The text of a parameter. An empty one counts as absent.
    func text(_ name: String) -> String? {
        values[name]?.first.flatMap { $0.isEmpty ? nil : $0 }
    }

    /// The text of a parameter that must not be empty.
    func value(_ name: String) throws -> String? {
        if values[name]?.first?.isEmpty == true { throw bad(name, "is empty") }
        return values[name]?.first
    }

    func all(_ name: String) -> [String] { values[name] ?? [] }

    func integer(_ name: String, in range: ClosedRange<Int64> = 0...Int64.max) throws -> Int64? {
        guard let text = try value(name) else { return nil }
        guard let number = Int64(text), !text.hasPrefix("+") else { throw bad(name, "is no whole number") }
        guard range.contains(number) else {
            throw bad(name, "has to be \(range.lowerBound) or more, and \(range.upperBound) at most")
        }
        return number
    }

    /// A whole number with a default. One beyond the limit is refused.
    func count(_ name: String, default standard: Int, limit: Int, from least: Int = 1) throws -> Int {
        Int(try integer(name, in: Int64(least)...Int64(limit)) ?? Int64(standard))
    }

    func number(_ name: String) throws -> Double? {
        guard let text = try value(name) else { return nil }
        guard let number = Double(text), number.isFinite, (0...1e10).contains(number) else {
            throw bad(name, "is no number of seconds")
        }
        return number
    }

    func date(_ name: String) throws -> Date? {
        guard let text = try value(name) else { return nil }
        guard let date = AdminAPI.date(text) else { throw bad(name, "is no time of RFC 3339") }
        return date
    }

    func choice(_ name: String, _ choices: [String]) throws -> String? {
        guard let text = try value(name) else { return nil }
        guard choices.contains(text) else { throw bad(name, "is one of \(choices.joined(separator: ", "))") }
        return text
    }

    private func bad(_ name: String, _ what: String) -> Problem {
        Problem(status: 400, title: "The parameter \(name) \(what).")
    }
}
