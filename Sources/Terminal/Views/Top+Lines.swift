import AdminAPI
import Foundation

/// The screen as lines of text.
extension Top {
    /// As many lines as the terminal has rows, each as wide as the terminal at most.
    public var lines: [Line] {
        let width = size.width
        var lines = header
        lines += (dialog == .help ? helpBody : body)
        let room = max(0, size.height - 1)
        lines = Array(lines.prefix(room))
        lines += Array(repeating: Line(), count: room - lines.count)
        lines.append(footer)
        return lines.prefix(size.height).map { $0.truncated(width) }
    }

    /// All that the screen has, without a limit of height and without what only a person at the keys needs.
    public var snapshot: [Line] {
        var whole = self
        whole.size.height = 1_000_000
        whole.isSnapshot = true
        return (whole.header + whole.body).map { $0.truncated(size.width) }
    }

    // MARK: What is on each screen

    var header: [Line] {
        var lines = [titleLine, countsLine]
        if size.height >= 12 { lines.append(factsLine) }
        if let failure {
            var banner = Line(" ! \(Cells.clean(failure))", .alarm)
            if let overview { banner.add(" As of \(time(overview.at)).", .dim) }
            lines.append(banner)
        } else if let reason = overview?.database.reason, overview?.database.isUp == false {
            lines.append(Line(" ! The database cannot be used: \(Cells.clean(reason))", .alarm))
        }
        return lines
    }

    /// Rows of a table, or lines of a job, that fit.
    var rowsHeight: Int {
        var chrome = header.count + 2
        if case .job = screen {} else { chrome += 1 }
        return max(1, size.height - chrome)
    }

    private var titleLine: Line {
        var line = Line(" beanrow top", .bold)
        if let overview {
            let version = overview.version
            line.add(options.hasCountsOnly ? "  \(Cells.clean(version))" : "  \(Cells.clean(version))", .dim)
            if options.hasCountsOnly {
                line.add("  \(Cells.clean(options.address)), counts only")
            } else {
                let queue = overview.queue
                line.add("  \(Cells.clean(queue.schema))", .bold)
                line.add(" in \(Cells.clean(queue.database)) on \(Cells.clean(queue.host))")
            }
        } else {
            line.add("  \(Cells.clean(options.address))")
        }
        var right = Line()
        if isSnapshot {
            right.add(overview.map { time($0.at) } ?? "")
        } else {
            if !options.hasCountsOnly, overview != nil, !mayAct { right.add("look only  ", .dim) }
            right.add(isPaused ? "paused" : "every \(seconds(interval))", isPaused ? .bold : .dim)
            if let overview { right.add("  \(time(overview.at)) ") }
        }
        return both(line, right)
    }

    /// The states with their shapes: it is also the key to the bars.
    private var countsLine: Line {
        guard let overview else {
            return Line(failure == nil ? " Waiting for the first answer." : " There has been no answer yet.", .dim)
        }
        var line = Line()
        let isNarrow = size.width < 90
        for state in JobState.allCases {
            line.add(" ")
            line.add(options.charset.shape(state), .state(state))
            line.add(" \(state.rawValue) ")
            let count = state.count(in: overview.counts)
            line.add(isNarrow ? Figures.count(count) : Figures.grouped(count), .bold)
            if !isNarrow { line.add(" ") }
        }
        return line
    }

    private var factsLine: Line {
        guard let overview else { return Line() }
        var parts = ["in \(Figures.rate(overview.inPerSecond))/s", "out \(Figures.rate(overview.outPerSecond))/s"]
        if let oldest = overview.oldestReadySeconds { parts.append("oldest \(Figures.age(oldest))") }
        var line = Line(" " + parts.joined(separator: "  "))
        parts = ["clients \(Figures.count(overview.connections)), \(Figures.count(overview.waiting)) waiting"]
        if !options.hasCountsOnly {
            parts.append(
                overview.isSole
                    ? "1 broker" : "\(overview.brokersAlive) broker\(overview.brokersAlive == 1 ? "" : "s")")
            if overview.database.isUp, size.width >= 90 { parts.append("database up") }
        }
        line.add("  " + parts.joined(separator: "  "))
        guard overview.warnings > 0 else { return line }
        // At the right, where a narrow terminal does not cut it off.
        return both(line, Line("\(Figures.counted(overview.warnings, "warning")) (5) ", .alarm))
    }

    /// Title, head and rows of the screen.
    private var body: [Line] {
        switch screen {
        case .tubes(let tubes): tubesBody(tubes)
        case .jobs(let jobs): jobsBody(jobs)
        case .job(let job): jobBody(job)
        case .holders(let list): holdersBody(list)
        case .brokers(let list): brokersBody(list)
        case .clients(let list): clientsBody(list)
        case .warnings(let list): warningsBody(list)
        }
    }

    private var footer: Line {
        switch dialog {
        case .help:
            let isWhole = lastHelpTop == 0
            return Line(isWhole ? " Any key goes back." : " ↑ and ↓ show the rest; any other key goes back.", .dim)
        case .counting(let act):
            return Line(" Counting the jobs to be \(act.action.past) … esc leaves it", .bold)
        case .confirm(let question, _):
            var line = Line(" " + Cells.truncate(question, max(10, size.width - 8)), .bold)
            line.add(" y/N ", .key)
            return line
        case .prompt(let prompt):
            // The end of a long text is shown, where it is written.
            let label = " \(prompt.label): "
            var text = Cells.clean(prompt.text)
            while Cells.width(label) + Cells.width(text) > size.width - 2, !text.isEmpty { text.removeFirst() }
            var line = Line(label, .bold)
            line.add(text)
            line.add(" ", .selected)
            return line
        case nil: break
        }
        if let message { return Line(" " + message.text, message.isAlarm ? .alarm : .bold) }
        if let operation {
            var line = Line(" " + operation.sentence, .bold)
            if mayAct { line.add(" c stops it.", .key) }
            return line
        }
        return keysLine
    }

    private var keysLine: Line {
        var keys: [(String, String)]
        switch screen {
        case .tubes:
            keys = options.hasCountsOnly ? [] : [("enter", "jobs")]
            keys += [("/", "filter")]
            if mayAct { keys += [("k", "kick"), ("d", "clear"), ("p", "pause"), ("u", "unpause")] }
        case .jobs:
            keys = [("enter", "job"), ("s", "state"), ("/", "search")]
            if mayAct { keys += [("x", "mark"), ("k", "kick"), ("d", "delete"), ("b", "bury"), ("m", "move")] }
        case .job:
            keys = [("esc", "back")]
            if mayAct {
                keys += [("k", "kick"), ("d", "delete"), ("b", "bury"), ("m", "move"), ("p", "priority")]
            }
        case .holders: keys = [("enter", "job"), ("esc", "back")]
        default: keys = [("esc", "back")]
        }
        keys += [("?", "help"), ("q", "quit")]
        if !options.hasCountsOnly {
            keys += [("2", "holders"), ("3", "brokers"), ("4", "clients"), ("5", "warnings")]
        }
        keys += [("space", isPaused ? "go on" : "freeze"), ("+ -", "interval")]
        var line = Line()
        for (key, what) in keys where line.width + key.count + what.count + 3 <= size.width {
            line.add(" ")
            line.add(key, .key)
            line.add(" \(what) ", .dim)
        }
        return line
    }

    // MARK: Pieces

    /// The title of the screen's part.
    func section(_ title: String, _ details: String = "") -> Line {
        var line = Line(" \(title)", .bold)
        if !details.isEmpty { line.add("  \(details)", .dim) }
        return line
    }

    /// Head and visible rows of a table, with the cursor.
    func tableBody(_ table: Table, cursor: Cursor, first: Int = 0) -> [Line] {
        let (head, rows) = table.lines(width: size.width - 1)
        var lines = [Line(" ", .heading)]
        lines[0].add(head)
        for (index, row) in rows.enumerated() {
            let isSelected = first + index == cursor.row && !isSnapshot
            var line = Line(isSelected ? ">" : " ")
            line.add(row)
            lines.append(isSelected ? line.styled(.selected).filled(size.width, .selected) : line)
        }
        return lines
    }

    /// The part of the entries that is shown, with the row of its first.
    func shown<Entry>(_ entries: [Entry], _ cursor: Cursor) -> (first: Int, entries: ArraySlice<Entry>) {
        guard !isSnapshot else { return (0, entries[...]) }
        let first = max(0, min(cursor.top, entries.count))
        return (first, entries[first...].prefix(rowsHeight))
    }

    /// What stands where rows would be.
    func nothing(_ text: String) -> [Line] { [Line(), Line("   " + text, .dim)] }

    func both(_ left: Line, _ right: Line) -> Line {
        let room = size.width - right.width
        guard room > 10 else { return left }
        var line = left.truncated(room - 1)
        line.add(String(repeating: " ", count: max(0, room - line.width)))
        line.add(right)
        return line
    }

    func time(_ date: Date) -> String { format(date, "HH:mm:ss") }

    /// With the day, if it is another one than the overview's.
    func dayAndTime(_ date: Date) -> String {
        let day = format(date, "yyyy-MM-dd")
        return overview.map { format($0.at, "yyyy-MM-dd") } == day ? time(date) : "\(day) \(time(date))"
    }

    private func format(_ date: Date, _ format: String) -> String {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = options.timeZone
        let parts = calendar.dateComponents([.year, .month, .day, .hour, .minute, .second], from: date)
        func two(_ number: Int?) -> String { (number ?? 0) < 10 ? "0\(number ?? 0)" : "\(number ?? 0)" }
        return format == "HH:mm:ss"
            ? "\(two(parts.hour)):\(two(parts.minute)):\(two(parts.second))"
            : "\(parts.year ?? 0)-\(two(parts.month))-\(two(parts.day))"
    }

    /// The time since then, by the server's clock.
    func age(_ date: Date?) -> String {
        guard let date, let overview else { return "-" }
        return Figures.age(overview.at.timeIntervalSince(date))
    }

    private func seconds(_ seconds: Double) -> String { seconds < 1 ? "\(seconds) s" : "\(Int(seconds)) s" }
}
