/// The jobs that the records read so far leave behind: upstream's rules, with its mistakes about size and burial left
/// out.
struct Replay {
    private(set) var tubes: [String] = []
    /// Deleted jobs leave a hole for the next one.
    private var jobs: [BinlogJob?] = []
    private(set) var highestID: UInt64 = 0

    private var tubeIndex: [String: Int32] = [:]
    private var slots: [UInt64: Int] = [:]
    private var holes: [Int] = []
    private var records = 0
    /// Where jobs were buried whose full record was not met yet: it was in a file that is gone, and may come again.
    private var earlyBurials: [UInt64: Int] = [:]

    var count: Int { slots.count }

    /// `file` is the index of the file that the record is from.
    mutating func apply(_ record: Record, file: Int) throws(Implausible) {
        records += 1
        highestID = max(highestID, record.id)
        if let slot = slots[record.id] {
            try update(slot, record, file)
        } else if record.tube != nil {
            add(record, file)
        } else {
            // Its full record was in a file that is gone: the job was deleted, or written again in a later file.
            earlyBurials[record.id] = record.state == .buried ? records : nil
        }
    }

    private mutating func update(_ slot: Int, _ record: Record, _ file: Int) throws(Implausible) {
        guard record.state != .invalid else {
            slots[record.id] = nil
            jobs[slot] = nil
            holes.append(slot)
            return
        }
        guard jobs[slot]!.bodySize + 2 == record.bodySize else {
            throw Implausible("another size for job \(record.id), which cannot change")
        }
        let wasBuried = jobs[slot]!.state == .buried
        jobs[slot]!.update(record)
        if record.tube != nil { jobs[slot]!.body = place(record, file) }
        guard record.state == .buried else { return jobs[slot]!.buryOrder = 0 }
        // A full record only moves the job to a newer file; it keeps its turn among the buried.
        if record.tube == nil || !wasBuried { jobs[slot]!.buryOrder = records }
    }

    private mutating func add(_ record: Record, _ file: Int) {
        let name = record.tube!
        let tube = tubeIndex[name] ?? Int32(tubes.count)
        if Int(tube) == tubes.count {
            tubeIndex[name] = tube
            tubes.append(name)
        }
        var job = BinlogJob(record, tube: tube, body: place(record, file))
        let burial = earlyBurials.removeValue(forKey: job.id)
        if job.state == .buried { job.buryOrder = burial ?? Replay.orderOfOldBurial(record) }
        if let hole = holes.popLast() {
            jobs[hole] = job
            slots[job.id] = hole
        } else {
            slots[job.id] = jobs.count
            jobs.append(job)
        }
    }

    /// The burial of a job without the record of it: that was in a file that is gone, and so before all that are not.
    /// Among such jobs, those are first that were reserved first: their TTR still tells.
    private static func orderOfOldBurial(_ record: Record) -> Int {
        let beforeAll = 1 << 62
        let reservedAt = Int(record.deadlineAt &- record.ttr)
        return min(max(0, reservedAt), beforeAll - 1) - beforeAll
    }

    /// The jobs that are left, the buried ones numbered from 1.
    func finish() -> [BinlogJob] {
        var left = jobs.compactMap { $0 }
        let buried = left.indices.filter { left[$0].state == .buried }
        let inOrder = buried.sorted { left[$0].buryOrder < left[$1].buryOrder }
        for (place, index) in inOrder.enumerated() { left[index].buryOrder = place + 1 }
        return left
    }

    private func place(_ record: Record, _ file: Int) -> BodyPlace {
        BodyPlace(file: Int32(file), count: Int32(record.bodySize - 2), offset: record.bodyOffset)
    }
}
