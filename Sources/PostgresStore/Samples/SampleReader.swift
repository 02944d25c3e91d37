import QueueCore

/// Reads samples over a session that has prepared `Statement.samples`. The numbers are the same at every broker.
struct SampleReader {
    let connection: Connection

    /// What happened in a tube, or in the whole queue (`nil`).
    ///
    /// The series ends with the last step that is known, or with the one that has just ended if that is long ago.
    func series(of tube: TubeName?, _ window: SampleWindow) throws -> SampleSeries {
        let (step, sampled) = (window.step, window.sampleStep)
        let clock = Int(try clock() / 1_000_000)
        let back = step * (window.points + 2)
        let known = try knownSteps(sampled, back: back)
        var end = clock / step * step
        if let last = known.max().map({ $0 / step * step }), last >= end - 3 * step { end = last + step }
        let start = end - window.points * step
        let samples = try samples(of: tube, sampled, back: back).filter { $0.at >= start && $0.at < end }
        let before = try level(of: tube, before: start, isChanged: samples.contains { $0.level != nil })
        let steps = Set(known.map { $0 / step * step })
        return SampleSeries(
            step: step, start: start, points: points(samples, steps, from: start, to: end, step, before))
    }

    /// How long jobs waited and were worked on in the last ten minutes.
    func lengths(of tube: TubeName?) throws -> (waited: DurationHistogram, worked: DurationHistogram) {
        var sum = SamplePoint()
        for sample in try samples(of: tube, 10, back: 600) { sum.add(sample) }
        return (sum.waited, sum.worked)
    }

    /// What happened hour by hour, oldest first; the last one has not ended. Up to 90 days.
    func report(of tube: TubeName?, hours: Int) throws -> [(start: Int, sum: SamplePoint)] {
        let hours = max(1, min(hours, 90 * 24))
        let last = Int(try clock() / 1_000_000) / 3600 * 3600
        let first = last - (hours - 1) * 3600
        var sums = Array(repeating: SamplePoint(), count: hours)
        for sample in try samples(of: tube, 300, back: hours * 3600) where sample.at >= first {
            let place = (sample.at - first) / 3600
            if place < hours { sums[place].add(sample) }
        }
        return sums.enumerated().map { (first + $0.offset * 3600, $0.element) }
    }

    /// What was put into each tube and deleted, in 60 steps of 10 s, the oldest first. Tubes without samples are left out.
    func sparklines(of tubes: [TubeName]) throws -> [TubeName: (puts: [Int], deletes: [Int])] {
        guard !tubes.isEmpty else { return [:] }
        let points = SampleWindow.tenMinutes.points
        var parameters = Parameters()
        parameters.add(texts: tubes.map(\.description))
        parameters.add(Int64(points * 10))
        let end = Int(try clock() / 1_000_000) / 10 * 10
        let rows = try connection.execute(.sparklines, parameters)
        let column = rows.columns(SparklineColumns.self)
        var lines: [TubeName: (puts: [Int], deletes: [Int])] = [:]
        for row in rows.indices {
            let name = TubeName(unchecked: rows[row, column.tube])
            let place = points - (end - Int(rows[row, column.at] / 1_000_000)) / 10
            guard place >= 0, place < points else { continue }
            let empty = Array(repeating: 0, count: points)
            lines[name, default: (empty, empty)].puts[place] = Int(rows[row, column.puts])
            lines[name, default: (empty, empty)].deletes[place] = Int(rows[row, column.deletes])
        }
        return lines
    }

    // MARK: Parts

    private func points(
        _ samples: [StoredSample], _ known: Set<Int>, from start: Int, to end: Int, _ step: Int,
        _ before: Sample.Level?
    ) -> [SamplePoint?] {
        var level = before
        var left = samples[...]
        return stride(from: start, to: end, by: step).map { at in
            var point = SamplePoint()
            while let sample = left.first, sample.at < at + step {
                point.add(sample)
                if let found = sample.level { level = found }
                left.removeFirst()
            }
            guard known.contains(at) else { return nil }
            point.jobs = level?.jobs ?? JobCounts()
            if point.jobs.ready > 0, let oldest = level?.oldest {
                point.oldestReadySeconds = max(0, Double(at + step) - Double(oldest) / 1e6)
            }
            return point
        }
    }

    private func clock() throws -> Int64 {
        let rows = try connection.execute(.sampleClock)
        return rows[0, rows.columns(SampleClockColumns.self).clock]
    }

    private func samples(of tube: TubeName?, _ step: Int, back: Int) throws -> [StoredSample] {
        var parameters = Parameters()
        parameters.add(tube?.description ?? "")
        parameters.add(Int64(back))
        let rows = try connection.execute(step == 10 ? .samplesOf10s : .samplesOf5min, parameters)
        let column = rows.columns(SampleColumns.self)
        return rows.indices.map { StoredSample(rows, $0, column) }
    }

    private func knownSteps(_ step: Int, back: Int) throws -> [Int] {
        var parameters = Parameters()
        parameters.add(Int64(back))
        return try connection.execute(step == 10 ? .knownSteps10s : .knownSteps5min, parameters).values(Int64.self)
            .map { Int($0 / 1_000_000) }
    }

    /// The numbers of jobs just before a time. `isChanged`: the samples after that time have numbers; if they have none, the
    /// tube still has what it has now.
    private func level(of tube: TubeName?, before time: Int, isChanged: Bool) throws -> Sample.Level? {
        var parameters = Parameters()
        parameters.add(tube?.description ?? "")
        parameters.add(Int64(time) * 1_000_000)
        let rows = try connection.execute(.levelBefore, parameters)
        let column = rows.columns(LevelBeforeColumns.self)
        let found = rows.indices.sorted { rows[$0, column.place] < rows[$1, column.place] }
        return found.first { rows[$0, column.place] < 3 || !isChanged }.flatMap {
            Sample.Level(rows, $0, column.level)
        }
    }
}
