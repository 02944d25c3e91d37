import QueueCore

extension WriteBatch {
    /// Commits puts of large bodies, which go out piece by piece. As a parameter a body would be there three times over,
    /// and libpq would move what is left of it each time that the server has taken a little: 300 MB took 45 s.
    func copyPuts(_ entry: Parameters, over connection: Connection) throws {
        // No pipeline has a COPY in it.
        try connection.leavePipeline()
        defer { try? connection.enterPipeline() }
        try connection.inTransaction {
            _ = try connection.execute(.ledger, entry)
            var tubes = Parameters()
            tubes.add(int4s: puts.map(\.tube))
            let moment = try connection.execute(.moment, tubes)
            guard moment.bool(0, 1) else { throw StoreError.tubeGone }
            let now = moment.int64(0, 0)
            try connection.copy(into: .copyPuts) { stream in
                try stream.begin()
                for put in puts { try write(put, at: now, to: &stream) }
                try stream.end()
            }
        }
    }

    /// The columns of `Statement.copyPuts`. `now`: in microseconds, as PostgreSQL counts them.
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

/// Rows on their way into a COPY in PostgreSQL's binary format. What is small collects; a body goes out as it is.
struct CopyStream {
    private let send: (UnsafeRawBufferPointer) throws -> Void
    private var collected: [UInt8] = []

    init(_ send: @escaping (UnsafeRawBufferPointer) throws -> Void) { self.send = send }

    /// The signature, no flags, and no more header.
    mutating func begin() throws {
        collected += Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0]
        append(Int32(0))
        append(Int32(0))
    }

    mutating func beginRow(of columns: Int16) { append(columns) }

    mutating func add(_ value: some FixedWidthInteger) {
        append(Int32(value.bitWidth / 8))
        append(value)
    }

    mutating func addNull() { append(Int32(-1)) }

    mutating func add(_ bytes: [UInt8]) throws {
        append(Int32(bytes.count))
        try flush()
        try bytes.withUnsafeBytes(send)
    }

    mutating func end() throws {
        append(Int16(-1))
        try flush()
    }

    private mutating func flush() throws {
        try collected.withUnsafeBytes(send)
        collected.removeAll(keepingCapacity: true)
    }

    private mutating func append(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.bigEndian) { collected.append(contentsOf: $0) }
    }
}
