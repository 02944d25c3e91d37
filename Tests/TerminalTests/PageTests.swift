import Foundation
import Testing

@testable import Terminal

/// docs/terminal.md has the keys of the page of help.
@Suite("Terminal: docs") struct PageTests {
    @Test func keys() throws {
        let page = URL(filePath: #filePath).appending(path: "../../../docs/terminal.md").standardized
        let rows = try String(contentsOf: page, encoding: .utf8).split(separator: "\n")
        let begin = try #require(rows.firstIndex { $0.hasPrefix("| Key ") })
        let table = rows[(begin + 2)...].prefix { $0.hasPrefix("|") }.map(String.init)
        #expect(table == Top.keys.map { $0.key.isEmpty ? "| **\($0.does)** | |" : "| `\($0.key)` | \($0.does) |" })
    }
}
