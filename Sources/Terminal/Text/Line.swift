/// How text looks. A colour never says something that no word or shape says too.
public enum Style: Hashable, Sendable {
    case plain, dim, bold
    /// The head of a table.
    case heading
    /// The row under the cursor.
    case selected
    /// What somebody must look into. Nothing else is red.
    case alarm
    /// A key that can be pressed.
    case key
    case state(JobState)
}

/// A line of styled text. Its pieces must be clean.
public struct Line: Hashable, Sendable, ExpressibleByStringLiteral {
    public struct Piece: Hashable, Sendable {
        public var text: String
        public var style: Style
    }

    public private(set) var pieces: [Piece] = []

    public init(_ text: String = "", _ style: Style = .plain) {
        add(text, style)
    }

    public init(stringLiteral text: String) {
        self.init(text)
    }

    public mutating func add(_ text: String, _ style: Style = .plain) {
        if !text.isEmpty { pieces.append(Piece(text: text, style: style)) }
    }

    mutating func add(_ line: Line) { pieces += line.pieces }

    /// The text alone.
    public var text: String { pieces.map(\.text).joined() }

    var width: Int { pieces.reduce(0) { $0 + Cells.width($1.text) } }

    /// In at most so many cells. A line that is cut in the middle takes the style of its first piece.
    func truncated(_ cells: Int, isInTheMiddle: Bool = false) -> Line {
        guard width > cells else { return self }
        if isInTheMiddle { return Line(Cells.truncateMiddle(text, cells), pieces[0].style) }
        var line = Line()
        var left = cells
        for piece in pieces {
            let width = Cells.width(piece.text)
            if width > left || (width == left && piece != pieces.last) {
                line.add(Cells.truncate(piece.text + " ", left), piece.style)
                break
            }
            line.add(piece.text, piece.style)
            left -= width
        }
        return line
    }

    /// With spaces up to so many cells, so that a style of the row reaches the end of the line.
    func filled(_ cells: Int, _ style: Style) -> Line {
        var line = truncated(cells)
        line.add(String(repeating: " ", count: max(0, cells - line.width)), style)
        return line
    }

    /// The whole line in one style.
    func styled(_ style: Style) -> Line { Line(text, style) }
}
