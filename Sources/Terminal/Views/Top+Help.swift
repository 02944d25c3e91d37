/// All keys.
extension Top {
    /// A key and what it does; without a key, the head of a part. docs/terminal.md has the same.
    public static let keys: [(key: String, does: String)] = [
        ("", "Everywhere"),
        ("enter", "opens what is under the cursor: a tube's jobs, a job"),
        ("esc", "goes back; among the tubes it ends the filter"),
        ("arrows", "move the cursor, as do page up, page down, home and end"),
        ("1", "tubes"), ("2", "holders: who has which job"), ("3", "brokers"), ("4", "clients"), ("5", "warnings"),
        ("space", "stops refreshing, and goes on"),
        ("+", "refreshes less often"), ("-", "refreshes more often"),
        ("c", "stops the operation that is shown"),
        ("?", "this page"), ("q", "quits"),
        ("", "Tubes"),
        ("/", "shows the tubes whose names contain a text"),
        ("W", "order: what is worst first"), ("N", "order: name"), ("R", "order: ready"), ("V", "order: reserved"),
        ("D", "order: delayed"), ("B", "order: buried"), ("I", "order: in"), ("O", "order: out"),
        ("A", "order: age of the oldest ready job; the same key again turns an order round"),
        ("k", "kicks all buried jobs, or all delayed ones if none is buried"),
        ("d", "deletes all jobs of the tube"), ("p", "pauses the tube"), ("u", "ends its pause"),
        ("", "Jobs, and one job"),
        ("s", "shows the jobs of the next state"), ("/", "shows the jobs whose bodies contain a text"),
        ("x", "marks a job"), ("X", "marks all jobs of the page, or none"), ("*", "marks all jobs that match"),
        ("k", "kicks"), ("d", "deletes"), ("b", "buries"), ("m", "moves to another tube"), ("p", "sets the priority"),
        ("t", "delays"),
    ]

    /// What of the help fits, from the line on to which it was moved.
    var helpBody: [Line] {
        let lines = helpLines
        return Array(lines[min(helpTop, lines.count)...].prefix(helpHeight))
    }

    var helpHeight: Int { max(1, size.height - header.count - 1) }

    /// The last line that can be the first one that is shown.
    var lastHelpTop: Int { max(0, helpLines.count - helpHeight) }

    private var helpLines: [Line] {
        var lines: [Line] = []
        for (key, does) in Self.keys {
            if key.isEmpty {
                lines.append(Line(" " + does, .bold))
            } else {
                var line = Line("   " + Cells.fit(key, 7), .key)
                line.add(does)
                lines.append(line)
            }
        }
        guard lines.count > helpHeight else { return lines }
        // Side by side, where the terminal is too low.
        let columns = max(1, min(3, size.width / 45))
        let width = size.width / columns
        let height = (lines.count + columns - 1) / columns
        return (0..<height).map { row in
            var line = Line()
            for column in 0..<columns where column * height + row < lines.count {
                line.add(lines[column * height + row].filled(width - 1, .plain))
                line.add(" ")
            }
            return line
        }
    }
}
