import CLibPQ

/// A column of a result: found by its name, and checked to have PostgreSQL's type for `Value`.
struct Column<Value: ColumnValue>: Sendable {
    let index: Int32
}

/// The columns that rows of one kind are decoded from. A statement names its kind (`Statement.columns`), so a column
/// that is missing or has another type is found when the statement is prepared.
protocol RowColumns: Sendable {
    init(_ column: inout ColumnFinder)
}

/// Finds the columns of a result by name.
struct ColumnFinder {
    private let result: Result
    /// What the result lacks.
    private(set) var flaws: [String] = []

    init(_ result: Result) { self.result = result }

    mutating func callAsFunction<Value>(_ name: String) -> Column<Value> {
        let index = PQfnumber(result.pointer, name)
        if index < 0 { flaws.append("no column \(name)") }
        return check(index, name)
    }

    /// `nil` when there is no such column.
    mutating func ifPresent<Value>(_ name: String) -> Column<Value>? {
        let index = PQfnumber(result.pointer, name)
        return index < 0 ? nil : check(index, name)
    }

    /// The only column.
    mutating func only<Value>() -> Column<Value> {
        let count = PQnfields(result.pointer)
        if count != 1 { flaws.append("\(count) columns instead of one") }
        return check(count == 1 ? 0 : -1, "only")
    }

    private mutating func check<Value>(_ index: Int32, _ name: String) -> Column<Value> {
        let type = PQftype(result.pointer, index)
        if index >= 0, !Value.types.contains(type) {
            flaws.append("a column \(name) of the type with OID \(type), which is not read as \(Value.self)")
        }
        return Column(index: index)
    }
}

/// The column of a statement that has one.
struct OnlyColumn<Value: ColumnValue>: RowColumns {
    let value: Column<Value>

    init(_ column: inout ColumnFinder) { value = column.only() }
}

// MARK: Values

/// What a column can be read as, from PostgreSQL's binary format.
protocol ColumnValue: Sendable {
    /// The OIDs of PostgreSQL's types that have this format.
    static var types: [Oid] { get }
    init(binary bytes: UnsafeRawBufferPointer)
}

extension ColumnValue where Self: FixedWidthInteger {
    init(binary bytes: UnsafeRawBufferPointer) {
        precondition(bytes.count == MemoryLayout<Self>.size, "a column has not the type that was expected")
        self.init(bigEndian: bytes.loadUnaligned(as: Self.self))
    }
}

extension Int64: ColumnValue { static let types: [Oid] = [20] }
extension Int32: ColumnValue { static let types: [Oid] = [23] }
extension Int16: ColumnValue { static let types: [Oid] = [21] }

extension Double: ColumnValue {
    static let types: [Oid] = [701]
    init(binary bytes: UnsafeRawBufferPointer) { self.init(bitPattern: UInt64(bitPattern: Int64(binary: bytes))) }
}

extension Bool: ColumnValue {
    static let types: [Oid] = [16]
    init(binary bytes: UnsafeRawBufferPointer) { self = bytes[0] != 0 }
}

extension String: ColumnValue {
    /// `text`, `name` and `varchar`.
    static let types: [Oid] = [25, 19, 1043]
    init(binary bytes: UnsafeRawBufferPointer) { self.init(decoding: bytes, as: UTF8.self) }
}

extension [UInt8]: ColumnValue {
    static let types: [Oid] = [17]
    init(binary bytes: UnsafeRawBufferPointer) { self.init(bytes) }
}

/// A `timestamptz`.
struct Timestamp: ColumnValue {
    static let types: [Oid] = [1184]
    /// Since 2000, as PostgreSQL counts.
    let microseconds: Int64

    init(binary bytes: UnsafeRawBufferPointer) { microseconds = Int64(binary: bytes) }
}
