/// Writes rows of a COPY in PostgreSQL's binary format. Small values are collected; a body is sent as it is.
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
