import Foundation
import Testing

/// References in comments lead to a heading that exists.
@Suite("Docs: references in comments") struct ReferenceTests {
    /// The headings of beanstalkd's doc/protocol.txt that comments refer to; the file is not in this repository.
    private static let protocolHeadings: Set<String> = [
        "Job Lifecycle", "The System", "Tubes", "Producer Commands", "Worker Commands", "Other Commands",
    ]

    private static let folders = ["Sources", "Tests", "migrations", "script", "Fuzzing", "Benchmarks"]

    /// Everything that may have comments, with its path.
    private static let sources: [(path: String, text: String)] = folders.flatMap { files(in: $0) }
        .filter { !$0.hasPrefix("Fuzzing/Corpus/") }
        .map { ($0, DocsTests.text(of: $0)) }

    @Test func headingsOfTheArchitecture() {
        let page = Page.named("docs/ARCHITECTURE.md")
        var count = 0
        for (path, text) in Self.sources where text.contains("docs/ARCH") {
            for found in text.matches(of: /\(docs\/ARCHITECTURE\.md([^);:]*)/) {
                count += 1
                let heading = Self.heading(found.1)
                if !page.headings.contains(heading) {
                    fail(Self.place(found.range.lowerBound, path, text), "\(page.path) has no heading '\(heading)'")
                }
            }
        }
        #expect(count > 0)
    }

    @Test func headingsOfTheProtocol() {
        for (path, text) in Self.sources where text.contains("doc/protocol.txt") {
            for found in text.matches(of: /\(beanstalkd's doc\/protocol\.txt([^);:]*)/) {
                let heading = Self.heading(found.1)
                if !Self.protocolHeadings.contains(heading) {
                    fail(Self.place(found.range.lowerBound, path, text), "protocol.txt has no heading '\(heading)'")
                }
            }
        }
    }

    @Test func pages() {
        for (path, text) in Self.sources where text.contains("docs/") {
            for found in text.matches(of: /(?:^|[^\w\/.])(docs\/[\w\/-]+\.md)/) where !exists(String(found.1)) {
                fail(Self.place(found.range.lowerBound, path, text), "there is no \(found.1)")
            }
        }
    }

    /// Documents that were never in the repository: "design", and "protocol" by number.
    @Test func numberedSections() {
        for (path, text) in Self.sources where text.contains("design, ") || text.contains("protocol, ") {
            for found in text.matches(of: /\b(?:design|protocol), (?:invariant |sections? )?\d/) {
                fail(Self.place(found.range.lowerBound, path, text), "'\(found.0)' refers to nothing in the repository")
            }
        }
    }

    /// What stands behind the name of a page: ", Heading", perhaps over several lines. Behind a colon it may go on.
    private static func heading(_ text: Substring) -> String {
        text.drop { $0 == "," }
            .replacing(/\n\s*(?:\/\/\/?|--|#|\*)?/, with: " ")
            .split(separator: " ").joined(separator: " ")
    }

    private static func place(_ index: String.Index, _ path: String, _ text: String) -> String {
        "\(path):\(text[..<index].count { $0 == "\n" } + 1)"
    }

    /// The overview stays one.
    @Test func lengthOfTheArchitecture() {
        let words = Page.named("docs/ARCHITECTURE.md").text.split { $0.isWhitespace }
            .filter { $0.contains { $0.isLetter || $0.isNumber } }
        #expect(words.count <= 2500)
    }
}
