public import AdminAPI
import Foundation

/// The screen of one job.
extension Top {
    func jobBody(_ screen: JobScreen) -> [Line] {
        var title = section("Job \(screen.id)")
        guard let detail = screen.detail else { return [title] }
        let state = JobState(rawValue: detail.job.state)
        title.add("  \(shape(state)) \(Cells.clean(detail.job.state))", state.map { .state($0) } ?? .plain)
        title.add("  tube \(Cells.clean(detail.job.tube))")
        let lines = jobLines(screen)
        let shown = isSnapshot ? lines[...] : lines.dropFirst(screen.top).prefix(rowsHeight)
        if lines.count > shown.count {
            title.add("  lines \(screen.top + 1) to \(screen.top + shown.count) of \(lines.count)", .dim)
        }
        return [title] + shown
    }

    /// All lines below the title: facts, timeline, body.
    func jobLines(_ screen: JobScreen) -> [Line] {
        guard let detail = screen.detail else { return [] }
        return facts(detail) + [Line()] + timeline(detail) + [Line()] + body(detail)
    }

    private func facts(_ detail: JobDetail) -> [Line] {
        let job = detail.job
        var facts: [(String, String)] = [
            ("priority", "\(job.priority)"), ("ttr", "\(job.ttrSeconds) s"), ("delay", "\(job.delaySeconds) s"),
            ("created", "\(dayAndTime(job.createdAt)) (\(age(job.createdAt)) ago)"),
            (
                "counters",
                [
                    Figures.counted(job.reserves, "reserve"), Figures.counted(job.timeouts, "timeout"),
                    Figures.counted(job.releases, "release"), Figures.counted(job.buries, "bury", "buries"),
                    Figures.counted(job.kicks, "kick"),
                ].joined(separator: ", ")
            ),
        ]
        if let key = job.key { facts.append(("key", Cells.clean(key))) }
        if job.state == "delayed" { facts.append(("ready", "in \(left(job)), at \(dayAndTime(job.readyAt))")) }
        if let holder = job.holder { facts.append(("holder", holder.sentence)) }
        if let until = job.reservedUntil { facts.append(("until", "\(dayAndTime(until)), in \(left(job))")) }
        if let ended = detail.ended {
            facts.append(("ended", "\(Cells.clean(ended.outcome)) at \(dayAndTime(ended.finishedAt))"))
        }
        return facts.map { name, value in
            var line = Line(" " + Cells.fit(name, 10), .dim)
            line.add(value)
            return line
        }
    }

    private func timeline(_ detail: JobDetail) -> [Line] {
        guard !detail.timeline.isEmpty else { return [] }
        return [Line(" Timeline", .bold)]
            + detail.timeline.map { event in
                var line = Line(" " + Cells.fit(dayAndTime(event.at), 20), .dim)
                line.add(Cells.clean(event.text))
                return line
            }
    }

    private func body(_ detail: JobDetail) -> [Line] {
        guard let body = detail.body else {
            return [Line(" Body", .bold), Line(" It is not kept in the history of this tube.", .dim)]
        }
        var title = Line(" Body", .bold)
        title.add("  \(Figures.bytes(body.bytes))\(body.isTruncated ? ", the beginning of it" : "")", .dim)
        let width = size.width - 2
        let lines: [String]
        if body.encoding == "utf-8" {
            lines = body.data.split(omittingEmptySubsequences: false) { $0.isNewline }.flatMap { line in
                // Clean cuts a long line, so it is wrapped in pieces.
                pieces(String(line)).flatMap { Cells.wrap(Cells.clean($0), width) }
            }
        } else {
            lines = HexDump.lines(Data(base64Encoded: body.data) ?? Data(), perLine: width >= 76 ? 16 : 8)
        }
        return [title] + lines.map { Line(" " + $0) }
    }

    private func pieces(_ line: String) -> [String] {
        guard line.utf8.count > 4000 else { return [line] }
        var pieces: [String] = []
        var rest = line[...]
        while !rest.isEmpty {
            pieces.append(String(rest.prefix(1000)))
            rest = rest.dropFirst(1000)
        }
        return pieces
    }
}

/// Bytes as people read them who look for one.
enum HexDump {
    static func lines(_ data: Data, perLine: Int) -> [String] {
        stride(from: 0, to: data.count, by: perLine).map { start in
            let bytes = data.dropFirst(start).prefix(perLine)
            let offset = String(start, radix: 16)
            let hex = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
            let text = String(
                String.UnicodeScalarView(bytes.map { (0x20..<0x7F).contains($0) ? Unicode.Scalar($0) : "." }))
            return String(repeating: "0", count: max(0, 6 - offset.count)) + offset + "  "
                + Cells.fit(hex, perLine * 3 - 1) + "  " + text
        }
    }
}

extension Holder {
    /// Who it is, as clean text.
    public var sentence: String {
        if let sqlSession {
            var text = "SQL session \(sqlSession)"
            if let sqlLogin { text += " of \(Cells.clean(sqlLogin))" }
            if let sqlHolder, sqlHolder != Int64(sqlSession) { text += ", holder \(sqlHolder)" }
            return text
        }
        var text = client.map { "client \(Cells.clean($0))" } ?? "a client"
        if let brokerHost {
            text += " of broker \(Cells.clean(brokerHost))" + (brokerPid.map { " (process \($0))" } ?? "")
        } else if let broker {
            text += " of broker \(broker)"
        }
        return text
    }
}
