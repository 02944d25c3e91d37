/// Turns records into the jobs that exist after them, by beanstalkd's rules without its mistakes about size and burial.
struct Replay {
    private(set) var tubes: [String] = []
    /// A deleted job leaves a hole, which the next job fills.
    private var jobs: [BinlogJob?] = []
    private(set) var highestID: UInt64 = 0

    private var tubeIndex: [String: Int32] = [:]
    private var slots: [UInt64: Int] = [:]
    private var holes: [Int] = []
    private var records = 0
    /// The numbers of the records that bury a job whose full record has not been read: it was in a file that is gone,
    /// and may come again in a later file.
    private var earlyBurials: [UInt64: Int] = [:]

    var count: Int { slots.count }

    /// Applies a record. `file` is the index of its file.
    mutating func apply(_ record: Record, file: Int) throws(MalformedRecord) {
        records += 1
        highestID = max(highestID, record.id)
        if let slot = slots[record.id] {
            try update(slot, record, file)
        } else if record.tube != nil {
            add(record, file)
        } else {
            // The full record was in a file that is gone: the job was deleted, or is written again in a later file.
            earlyBurials[record.id] = record.state == .buried ? records : nil
        }
    }

    private mutating func update(_ slot: Int, _ record: Record, _ file: Int) throws(MalformedRecord) {
        guard record.state != .invalid else {
            slots[record.id] = nil
            jobs[slot] = nil
            holes.append(slot)
            return
        }
        guard jobs[slot]!.bodySize + 2 == record.bodySize else {
            throw MalformedRecord("another size for job \(record.id), which cannot change")
        }
        let wasBuried = jobs[slot]!.state == .buried
        jobs[slot]!.update(record)
        if record.tube != nil { jobs[slot]!.body = place(record, file) }
        guard record.state == .buried else { return jobs[slot]!.buryOrder = 0 }
        // A full record of a buried job only moves it to a newer file. The job keeps its rank.
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

    /// The rank of a job whose record of burial was in a file that is gone. It precedes all others. Such jobs are
    /// ordered by the time of their reservation, which follows from deadline and TTR.
    private static func orderOfOldBurial(_ record: Record) -> Int {
        let beforeAll = 1 << 62
        let reservedAt = Int(record.deadlineAt &- record.ttr)
        return min(max(0, reservedAt), beforeAll - 1) - beforeAll
    }

    /// The jobs that are left, with the buried ones ranked from 1.
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
