import QueueCore

extension WriteBatch {
    /// Commits puts of large bodies as a COPY, piece by piece. As a parameter a body would be in memory three times, and
    /// libpq would move what is left of it each time that the server has taken a little: 300 MB took 45 s.
    func copyPuts(_ entry: Parameters, over connection: Connection) throws {
        // libpq allows no COPY in a pipeline.
        try connection.leavePipeline()
        defer { try? connection.enterPipeline() }
        try connection.inTransaction {
            _ = try connection.execute(.ledger, entry)
            var tubes = Parameters()
            tubes.add(int4s: puts.map(\.tube))
            let rows = try connection.execute(.transactionTime, tubes)
            let column = rows.columns(TransactionTimeColumns.self)
            guard rows[0, column.hasTubes] else { throw StoreError.tubeGone }
            let now = rows[0, column.now].microseconds
            try connection.copy(into: .copyPuts) { stream in
                try stream.begin()
                for put in puts { try write(put, at: now, to: &stream) }
                try stream.end()
            }
        }
    }

    /// Writes the columns of `Statement.copyPuts`. `now`: microseconds since 2000, as PostgreSQL counts them.
    private func write(_ put: Put, at now: Int64, to stream: inout CopyStream) throws {
        stream.beginRow(of: 10)
        stream.add(Int64(clamping: put.id))
        stream.add(put.tube)
        stream.add(Int64(put.job.priority))
        stream.add(put.job.state.rawValue)
        stream.add(Int64(put.job.ttr))
        stream.add(Int64(put.job.delay))
        stream.add(now)
        stream.add(now + Int64(put.job.delay) * 1_000_000)
        if put.isLeased { stream.add(epoch) } else { stream.addNull() }
        try stream.add(put.job.body)
    }
}

struct TransactionTimeColumns: RowColumns {
    let now: Column<Timestamp>
    let hasTubes: Column<Bool>

    init(_ column: inout ColumnFinder) {
        now = column("now")
        hasTubes = column("has_tubes")
    }
}
