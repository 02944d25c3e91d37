/// Styled lines as bytes for a terminal.
public struct Ansi: Sendable {
    /// NO_COLOR takes the colours away. Bold and reverse stay, which are no colours.
    public var hasColours: Bool
    /// What is no terminal gets the text alone.
    public var hasStyles: Bool
    public var charset: Charset

    public init(hasColours: Bool, hasStyles: Bool = true, charset: Charset) {
        self.hasColours = hasColours
        self.hasStyles = hasStyles
        self.charset = charset
    }

    public func text(_ line: Line) -> String {
        line.pieces.reduce(into: "") { text, piece in
            let piece = (text: charset.restrict(piece.text), codes: hasStyles ? codes(piece.style) : "")
            text += piece.codes.isEmpty ? piece.text : "\u{1b}[\(piece.codes)m\(piece.text)\u{1b}[0m"
        }
    }

    private func codes(_ style: Style) -> String {
        switch style {
        case .plain: ""
        case .dim: hasColours ? "2" : ""
        case .bold, .key: "1"
        case .heading: "1"
        case .selected: "7"
        case .alarm: hasColours ? "1;31" : "1"
        case .state(let state):
            hasColours ? code(state) : ""
        }
    }

    private func code(_ state: JobState) -> String {
        switch state {
        case .ready: "32"
        case .reserved: "36"
        case .delayed: "33"
        case .buried: "35"
        }
    }

    /// What makes `new` out of `old` on the screen: the lines that differ, each cleared first. The cursor is hidden.
    public func difference(from old: [Line]?, to new: [Line]) -> String {
        var bytes = ""
        if old == nil { bytes += "\u{1b}[2J" }
        for (row, line) in new.enumerated() {
            if let old, row < old.count, old[row] == line { continue }
            bytes += "\u{1b}[\(row + 1);1H\u{1b}[0m\u{1b}[K" + text(line)
        }
        if let old, old.count > new.count { bytes += "\u{1b}[\(new.count + 1);1H\u{1b}[J" }
        return bytes
    }
}
