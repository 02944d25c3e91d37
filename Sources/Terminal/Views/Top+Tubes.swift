import AdminAPI

/// The screen of all tubes.
extension Top {
    func tubesBody(_ screen: TubesScreen) -> [Line] {
        var details = "by \(screen.order.rawValue)\(screen.isReversed ? ", reversed" : "")"
        if !screen.filter.isEmpty { details = "with \"\(Cells.clean(screen.filter))\"  " + details }
        guard let page = screen.page else { return [section("Tubes", details)] }
        var number = Figures.grouped(page.matching)
        if page.matching != page.total { number += " of \(Figures.grouped(page.total))" }
        if page.tubes.count < page.matching { details += "  the first \(Figures.grouped(page.tubes.count)) are here" }
        let title = section("\(number) tube\(page.total == 1 ? "" : "s")", details)
        guard !page.tubes.isEmpty else {
            return [title]
                + nothing(
                    screen.filter.isEmpty
                        ? "No tube has jobs or clients. Put one: beanrow put mail hello"
                        : "No tube's name contains this. Escape shows all.")
        }
        let (first, tubes) = shown(page.tubes, screen.cursor)
        let largest = page.tubes.reduce(0) { max($0, $1.counts.all) }
        let longest = page.tubes.reduce(0) { max($0, Cells.width(Cells.clean($1.name))) }
        var table = Table(columns(longest), flexible: 0)
        for tube in tubes { table.add(row(tube, largest: largest)) }
        return [title] + tableBody(table, cursor: screen.cursor, first: first)
    }

    private var barCells: Int {
        size.width >= 150 ? 24 : size.width >= 120 ? 16 : size.width >= 100 ? 12 : size.width >= 90 ? 8 : 5
    }

    /// `longest`: The width of the longest name. Names come before the columns that matter least.
    private func columns(_ longest: Int) -> [Table.Column] {
        let isWide = size.width >= 90
        let least = max(10, min(longest, size.width >= 100 ? size.width / 5 : size.width >= 75 ? 14 : 10))
        return [
            .init("tube", least: least, most: max(12, size.width / 3), cutsMiddle: true),
            .init("jobs", least: barCells, most: barCells, rank: 2),
            .init("ready", isRight: true, least: isWide ? 7 : 5), .init(isWide ? "reserved" : "resv", isRight: true),
            .init(isWide ? "delayed" : "delay", isRight: true), .init("buried", isRight: true),
            .init("in/s", isRight: true, least: isWide ? 5 : 4), .init("out/s", isRight: true),
            .init("growth", isRight: true, least: 6, rank: 5),
            .init("oldest", isRight: true, least: 6, rank: oldestRank),
            .init("waiting", isRight: true, rank: 3), .init("watching", isRight: true, rank: 6),
            .init("paused", isRight: true, least: 6, rank: 4),
        ]
    }

    /// beanstalkd's protocol does not tell the age, so it goes first there.
    private var oldestRank: Int { options.hasCountsOnly ? 7 : 1 }

    private func row(_ tube: TubeSummary, largest: Int) -> [Line] {
        let counts = tube.counts
        let growth = tube.inPerSecond - tube.outPerSecond
        let isFlat = Figures.rate(growth) == "0"
        let paused = tube.pauseSecondsLeft.map { Figures.age($0) }
        // A pause that has no column of its own is a sign before the name.
        let isMarked = paused != nil && size.width < 75
        let name = (isMarked ? options.charset == .unicode ? "‖ " : "| " : "") + Cells.clean(tube.name)
        func number(_ state: JobState) -> Line {
            let count = state.count(in: counts)
            let isFull = state == .ready && tube.alarm == .full
            return Line(Figures.count(count), isFull ? .alarm : count == 0 ? .dim : .state(state))
        }
        return [
            Line(name), Bar.line(counts, largest: largest, cells: barCells, options.charset),
            number(.ready), number(.reserved), number(.delayed), number(.buried),
            Line(Figures.rate(tube.inPerSecond)), Line(Figures.rate(tube.outPerSecond)),
            Line(isFlat ? "-" : growth > 0 ? "+" + Figures.rate(growth) : Figures.rate(growth), isFlat ? .dim : .plain),
            Line(tube.oldestReadySeconds.map { Figures.age($0) } ?? "-", tube.alarm == .late ? .alarm : .plain),
            Line(Figures.count(tube.waiting)), Line(Figures.count(tube.watching)),
            Line(paused ?? "-", paused == nil ? .dim : .bold),
        ]
    }
}

extension Counts {
    /// The sum, of which no more than the largest number is told.
    var all: Int {
        [ready, reserved, delayed, buried].reduce(0) { sum, count in
            let (sum, isTooLarge) = sum.addingReportingOverflow(count)
            return isTooLarge ? .max : sum
        }
    }
}
