import QueueCore

/// Rows of `job`, which anybody may have written who may write there. What no job can have is a flaw of the row, with the
/// nearest possible value in its place: no row ends the broker, and none that is flawed is given to anybody.
extension Rows {
    /// The columns of `SQL.jobColumns`, then the body, and perhaps whether its tube exists.
    var jobs: [JobRow] { (0..<count).map(job) }

    private func job(_ row: Int) -> JobRow {
        var flaws: [String] = []
        func number<Value: FixedWidthInteger>(_ value: Int64, _ name: String, as: Value.Type) -> Value {
            if let number = Value(exactly: value) { return number }
            flaws.append("its \(name) is \(value)")
            return Value(clamping: value)
        }
        func time(_ column: Int, _ name: String) -> Int64 {
            if !isNull(row, column) { return int64(row, column) }
            flaws.append("its \(name) is infinite")
            return 0
        }
        let state = StoredState(rawValue: int16(row, 2))
        if state == nil { flaws.append("its state is \(int16(row, 2))") }
        var id = number(int64(row, 0), "id", as: JobID.self)
        let priority = number(int64(row, 3), "priority", as: UInt32.self)
        // No key is so great: whoever reads from one on is to read past it.
        if int64(row, 3) > Int64(UInt32.max) { id = .max }
        let counters = JobCounters(
            reserves: number(Int64(int32(row, 9)), "number of reserves", as: UInt32.self),
            timeouts: number(Int64(int32(row, 10)), "number of timeouts", as: UInt32.self),
            releases: number(Int64(int32(row, 11)), "number of releases", as: UInt32.self),
            buries: number(Int64(int32(row, 12)), "number of buries", as: UInt32.self),
            kicks: number(Int64(int32(row, 13)), "number of kicks", as: UInt32.self))
        var job = JobRow(
            // A job whose state is none has mostly been put, and counted, as a ready one.
            id: id, tube: int32(row, 1), state: state ?? .ready, priority: priority,
            ttr: number(int64(row, 4), "time to run", as: UInt32.self),
            delay: number(int64(row, 5), "delay", as: UInt32.self), age: time(6, "time of the put"),
            left: time(7, "time to be ready"), isReserved: bool(row, 8), counters: counters,
            lease: isNull(row, 14) ? nil : int64(row, 14), body: isNull(row, 15) ? nil : bytes(row, 15))
        if columns > 16, !bool(row, 16) { flaws.append("its tube does not exist") }
        if !flaws.isEmpty {
            job.flaw = JobRow.Flaw(row: int64(row, 0), description: flaws.joined(separator: ", "))
        }
        return job
    }

    /// The columns of `SQL.readied`.
    var readied: [Readied] {
        (0..<count).map { row in
            Readied(
                tube: int32(row, 0), from: StoredState(rawValue: int16(row, 1)) ?? .ready, count: Int(int32(row, 2)),
                urgent: Int(int32(row, 3)), first: JobKey(nearest: int64(row, 4), int64(row, 5)))
        }
    }
}

extension JobKey {
    /// What is to be read from on so that a row with these values is met.
    init(nearest priority: Int64, _ id: Int64) {
        switch UInt32(exactly: priority) {
        case let priority?: self.init(priority: priority, id: JobID(clamping: id))
        case nil: self = priority < 0 ? .first : JobKey(priority: .max, id: .max)
        }
    }
}
