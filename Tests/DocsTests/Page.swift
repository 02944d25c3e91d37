import Foundation

/// A page of the documentation, parsed as far as the checks need it.
struct Page: Sendable {
    /// A piece of text, with its place.
    struct Piece: Sendable {
        let place: String
        let text: String
    }

    /// A row of a table, with the first line of the table.
    struct Row: Sendable {
        let place: String
        let header: [String]
        let cells: [String]

        /// The code spans of a cell.
        func code(_ cell: Int) -> [String] { cell < cells.count ? Page.code(in: cells[cell]) : [] }
    }

    /// The path from the root of the repository.
    let path: String
    private(set) var spans: [Piece] = []
    /// The lines of blocks.
    private(set) var commands: [Piece] = []
    private(set) var rows: [Row] = []
    private(set) var links: [Piece] = []
    private(set) var headings: [String] = []
    let text: String

    static let root = URL(filePath: #filePath).appending(path: "../../..").standardized

    /// The pages for users and developers.
    static let all: [Page] = {
        let paths = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"] + files(in: "docs").sorted()
        return paths.filter { $0.hasSuffix(".md") }.map { Page($0) }
    }()

    /// All pages, also those that describe a folder.
    static let everywhere = repositoryFiles.filter { $0.hasSuffix(".md") }.map { Page($0) }

    static func named(_ path: String) -> Page { all.first { $0.path == path }! }

    init(_ path: String) {
        let text = (try? String(contentsOf: Page.root.appending(path: path), encoding: .utf8)) ?? ""
        self.init(path, text: text)
    }

    init(_ path: String, text: String) {
        self.path = path
        self.text = text
        var isBlock = false
        var header: [String]?
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let place = "\(path):\(number + 1)"
            if line.hasPrefix("```") {
                isBlock.toggle()
            } else if isBlock {
                commands.append(Piece(place: place, text: String(line)))
            } else {
                read(String(line), place, &header)
            }
        }
    }

    private mutating func read(_ line: String, _ place: String, _ header: inout [String]?) {
        spans += Page.code(in: line).map { Piece(place: place, text: $0) }
        links += line.matches(of: /\]\(([^)]+)\)/).map { Piece(place: place, text: String($0.1)) }
        if line.hasPrefix("#") { headings.append(String(line.drop { $0 == "#" }.dropFirst())) }
        guard line.hasPrefix("|") else { return header = nil }
        let cells = Page.cells(of: line)
        guard let titles = header else { return header = cells }
        if !cells.allSatisfy({ $0.allSatisfy { $0 == "-" } }) {
            rows.append(Row(place: place, header: titles, cells: cells))
        }
    }

    static func code(in text: String) -> [String] {
        text.matches(of: /`([^`]+)`/).map { String($0.1) }
    }

    /// A bar within a cell is written with a backslash.
    private static func cells(of line: String) -> [String] {
        line.replacing("\\|", with: "\u{1}").split(separator: "|", omittingEmptySubsequences: false)
            .dropFirst().dropLast()
            .map { $0.replacing("\u{1}", with: "|").trimmingCharacters(in: .whitespaces) }
    }

    /// The names of the headings in links, behind `#`.
    var anchors: Set<String> {
        Set(
            headings.map { heading in
                String(
                    heading.lowercased().filter { $0.isLetter || $0.isNumber || $0 == " " || $0 == "-" || $0 == "_" }
                        .map { $0 == " " ? "-" : $0 })
            })
    }
}
