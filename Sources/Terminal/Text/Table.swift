/// A table whose columns fit the width of the terminal: those that matter least are left out first.
public struct Table: Sendable {
    public struct Column: Sendable {
        public var title: String
        public var isRight: Bool
        /// At least, and at most, so many cells. It takes what its content needs in between.
        public var least: Int
        public var most: Int
        /// What is too long loses its middle, not its end.
        public var cutsMiddle: Bool
        /// Columns with the highest number are left out first; 0 stays.
        public var rank: Int

        public init(
            _ title: String, isRight: Bool = false, least: Int? = nil, most: Int = 1000, rank: Int = 0,
            cutsMiddle: Bool = false
        ) {
            self.title = title
            self.isRight = isRight
            self.least = max(least ?? 1, Cells.width(title))
            self.most = max(most, self.least)
            self.rank = rank
            self.cutsMiddle = cutsMiddle
        }
    }

    public let columns: [Column]
    /// Clean text for each column.
    public var rows: [[Line]] = []
    /// The column that takes the cells that are left, as far as its content needs them.
    public var flexible: Int

    public init(_ columns: [Column], flexible: Int = 0) {
        self.columns = columns
        self.flexible = flexible
    }

    public mutating func add(_ cells: [String]) {
        rows.append(cells.map { Line($0) })
    }

    mutating func add(_ cells: [Line]) { rows.append(cells) }

    /// Head and rows.
    /// `width`: In cells; nil: as wide as the content.
    public func lines(width: Int?) -> (head: Line, rows: [Line]) {
        let widths = widths(within: width)
        let shown = columns.indices.filter { widths[$0] > 0 }
        func line(_ cells: [Line], _ style: Style?) -> Line {
            var line = Line()
            for index in shown {
                if index != shown.first { line.add(" ", style ?? .plain) }
                let cell = cells[index]
                let cut = cell.truncated(widths[index], isInTheMiddle: columns[index].cutsMiddle)
                let isLast = index == shown.last && !columns[index].isRight
                let fill = isLast ? "" : String(repeating: " ", count: max(0, widths[index] - cut.width))
                if columns[index].isRight { line.add(fill) }
                line.add(style.map { cut.styled($0) } ?? cut)
                if !columns[index].isRight { line.add(fill) }
            }
            return line
        }
        return (line(columns.map { Line($0.title) }, .heading), rows.map { line($0, nil) })
    }

    private func widths(within width: Int?) -> [Int] {
        let wanted = columns.indices.map { index in
            let content = rows.reduce(0) { max($0, $1[index].width) }
            return min(max(columns[index].least, content), columns[index].most)
        }
        guard let width else { return wanted }
        var widths = wanted
        func used() -> Int { widths.filter { $0 > 0 }.reduce(-1) { $0 + $1 + 1 } }
        // Room is taken from the flexible column first, then columns go, the least important first.
        let order = columns.indices.filter { columns[$0].rank > 0 }.sorted { columns[$0].rank > columns[$1].rank }
        widths[flexible] = columns[flexible].least
        for index in order where used() > width { widths[index] = 0 }
        widths[flexible] = min(wanted[flexible], max(1, columns[flexible].least + width - used()))
        return widths
    }
}
