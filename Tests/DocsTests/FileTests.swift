import Foundation
import Testing

/// Files, links, log lines, keys and settings that the documentation names are there.
@Suite("Docs: files and texts") struct FileTests {
    @Test func filesAndLinks() {
        let folders = ["script", "docs", "Sources", "Tests", "Benchmarks", "Fuzzing", "migrations"]
        for page in Page.all {
            for piece in page.spans + page.commands {
                for word in piece.text.split(whereSeparator: { " '\"=(),;:".contains($0) }) {
                    guard let slash = word.firstIndex(of: "/"), folders.contains(String(word[..<slash])),
                        !word.contains("*")
                    else { continue }
                    if !exists(String(word)) { fail(piece.place, "there is no \(word)") }
                }
            }
            for link in page.links where !link.text.hasPrefix("http") { checkLink(link, on: page) }
        }
    }

    private func checkLink(_ link: Page.Piece, on page: Page) {
        let parts = link.text.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let folder = page.path.contains("/") ? "docs/" : ""
        let path = parts[0].isEmpty ? page.path : folder + parts[0]
        guard exists(path) else { return fail(link.place, "there is no \(path)") }
        if parts.count > 1, path.hasSuffix(".md"), !Page(path).anchors.contains(parts[1]) {
            fail(link.place, "\(path) has no heading #\(parts[1])")
        }
    }

    /// What a page says to be logged is in the sources.
    @Test func logLines() {
        let sources = files(in: "Sources").map { text(of: $0) }
        for page in Page.all {
            for found in page.text.matches(of: /log(?:s|ged)(?: as)? `([^`=]+)`/) {
                let said = found.1.replacing("\n", with: " ")
                if !sources.contains(where: { $0.contains(said) }) { fail(page.path, "nothing logs `\(said)`") }
            }
        }
    }

    @Test func keysOfStatistics() {
        let encoder = text(of: "Sources/BeanstalkProtocol/StatsEncoder.swift")
        let page = Page.named("docs/compatibility.md")
        let keys = page.rows.filter { $0.header.first == "Key" }.flatMap { $0.code(0) }
        #expect(keys.count > 8)
        for key in keys where !encoder.contains("\n        \(key): ") && !key.hasPrefix("stats") {
            fail(page.path, "no statistics have the key \(key)")
        }
    }

    @Test func settingsOfConnections() {
        let rows = Page.named("docs/operations.md").rows.filter { $0.header.first == "Setting" }
        let store = files(in: "Sources/PostgresStore").map { text(of: $0) }.joined()
        #expect(rows.count > 4)
        for row in rows {
            let first = row.code(0)[0]
            for name in row.code(0) {
                // `keepalives_idle`, `_interval`
                let full = name.hasPrefix("_") ? first.prefix { $0 != "_" } + name : Substring(name)
                if !store.contains("\"\(full)\"") { fail(row.place, "Beanrow does not set \(full)") }
            }
        }
    }
}
