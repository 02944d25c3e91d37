import Foundation
import Testing

/// Files, links, log lines, keys and settings in pages exist.
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
        }
    }

    /// A file that is named without its folder exists in some folder.
    @Test func namesOfFiles() {
        let names = Set(repositoryFiles.compactMap { $0.split(separator: "/").last.map(String.init) })
        for page in Page.all {
            for span in page.spans {
                guard let name = span.text.wholeMatch(of: /[A-Za-z0-9_+]+\.(?:swift|sql|py|sh)/)?.0 else { continue }
                if !names.contains(String(name)) { fail(span.place, "there is no \(name)") }
            }
        }
    }

    @Test func links() {
        #expect(Page.everywhere.count > 10)
        for page in Page.everywhere {
            for link in page.links where !link.text.contains(/^(?:https?|mailto):/) { checkLink(link, on: page) }
        }
    }

    private func checkLink(_ link: Page.Piece, on page: Page) {
        let parts = link.text.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let file = parts[0].isEmpty ? URL(filePath: page.path).lastPathComponent : parts[0]
        let path = URL(filePath: "/" + page.path).deletingLastPathComponent().appending(path: file).standardized
            .path.dropFirst()
        guard exists(String(path)) else { return fail(link.place, "there is no \(path)") }
        if parts.count > 1, path.hasSuffix(".md"), !Page(String(path)).anchors.contains(parts[1]) {
            fail(link.place, "\(path) has no heading #\(parts[1])")
        }
    }

    /// Log lines in pages are in the sources.
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
