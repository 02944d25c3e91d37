import QueueCore

/// The columns of `SQL.jobColumns`, and what some statements add.
struct JobColumns: RowColumns {
    let id: Column<Int64>
    let tube: Column<TubeID>
    let state: Column<Int16>
    let priority: Column<Int64>
    let ttr: Column<Int64>
    let delay: Column<Int64>
    let age: Column<Int64>
    let timeLeft: Column<Int64>
    let isReserved: Column<Bool>
    let reserves: Column<Int32>
    let timeouts: Column<Int32>
    let releases: Column<Int32>
    let buries: Column<Int32>
    let kicks: Column<Int32>
    let lease: Column<Int64>
    let body: Column<[UInt8]>
    /// Whether the job's tube exists.
    let hasTube: Column<Bool>?

    init(_ column: inout ColumnFinder) {
        id = column("id")
        tube = column("tube_id")
        state = column("state")
        priority = column("priority")
        ttr = column("ttr")
        delay = column("delay")
        age = column("age")
        timeLeft = column("time_left")
        isReserved = column("is_reserved")
        reserves = column("reserves")
        timeouts = column("timeouts")
        releases = column("releases")
        buries = column("buries")
        kicks = column("kicks")
        lease = column("lease_epoch")
        body = column("body")
        hasTube = column.ifPresent("has_tube")
    }
}

/// The columns of `SQL.readied`.
struct ReadiedColumns: RowColumns {
    let tube: Column<TubeID>
    let was: Column<Int16>
    let count: Column<Int32>
    let urgent: Column<Int32>
    let priority: Column<Int64>
    let id: Column<Int64>

    init(_ column: inout ColumnFinder) {
        tube = column("tube_id")
        was = column("was")
        count = column("count")
        urgent = column("urgent")
        priority = column("priority")
        id = column("id")
    }
}

/// Rows of `job`, which anybody may write who has the right. A value that no job can have is a flaw of the row, and the
/// nearest possible value takes its place: no row ends the broker, and a flawed one is given to nobody.
extension Rows {
    var jobs: [JobRow] {
        guard count > 0 else { return [] }
        let column = columns(JobColumns.self)
        return indices.map { job($0, column) }
    }

    private func job(_ row: Int, _ column: JobColumns) -> JobRow {
        var flaws: [String] = []
        func number<Value: FixedWidthInteger>(_ value: Int64, _ name: String, as: Value.Type) -> Value {
            if let number = Value(exactly: value) { return number }
            flaws.append("its \(name) is \(value)")
            return Value(clamping: value)
        }
        func counter(_ column: Column<Int32>, _ name: String) -> UInt32 {
            number(Int64(self[row, column]), "number of \(name)", as: UInt32.self)
        }
        func time(_ column: Column<Int64>, _ name: String) -> Int64 {
            if let time = optional(row, column) { return time }
            flaws.append("its \(name) is infinite")
            return 0
        }
        let storedState = self[row, column.state]
        let state = StoredState(rawValue: storedState)
        if state == nil { flaws.append("its state is \(storedState)") }
        var id = number(self[row, column.id], "id", as: JobID.self)
        let storedPriority = self[row, column.priority]
        let priority = number(storedPriority, "priority", as: UInt32.self)
        // The greatest key: a refill that goes on from here goes on behind the row.
        if storedPriority > Int64(UInt32.max) { id = .max }
        let counters = JobCounters(
            reserves: counter(column.reserves, "reserves"), timeouts: counter(column.timeouts, "timeouts"),
            releases: counter(column.releases, "releases"), buries: counter(column.buries, "buries"),
            kicks: counter(column.kicks, "kicks"))
        var job = JobRow(
            // A job with an impossible state was most likely put, and counted, as a ready one.
            id: id, tube: self[row, column.tube], state: state ?? .ready, priority: priority,
            ttr: number(self[row, column.ttr], "time to run", as: UInt32.self),
            delay: number(self[row, column.delay], "delay", as: UInt32.self),
            age: time(column.age, "time of the put"), left: time(column.timeLeft, "time to be ready"),
            isReserved: self[row, column.isReserved], counters: counters, lease: optional(row, column.lease),
            body: optional(row, column.body))
        if let hasTube = column.hasTube, !self[row, hasTube] { flaws.append("its tube does not exist") }
        if !flaws.isEmpty {
            job.flaw = JobRow.Flaw(row: self[row, column.id], description: flaws.joined(separator: ", "))
        }
        return job
    }

    var readied: [Readied] {
        let column = columns(ReadiedColumns.self)
        return indices.map { row in
            Readied(
                tube: self[row, column.tube], from: StoredState(rawValue: self[row, column.was]) ?? .ready,
                count: Int(self[row, column.count]), urgent: Int(self[row, column.urgent]),
                first: JobKey(nearest: self[row, column.priority], self[row, column.id]))
        }
    }
}

extension JobKey {
    /// The key from which a read meets a row with these values.
    init(nearest priority: Int64, _ id: Int64) {
        switch UInt32(exactly: priority) {
        case let priority?: self.init(priority: priority, id: JobID(clamping: id))
        case nil: self = priority < 0 ? .first : JobKey(priority: .max, id: .max)
        }
    }
}
