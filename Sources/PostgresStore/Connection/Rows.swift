import CLibPQ

/// The rows of a result, in PostgreSQL's binary format. Reading a column as another type than it has is a mistake in
/// this program and traps.
struct Rows {
    private let result: Result

    init(_ result: Result) {
        self.result = result
    }

    var count: Int { Int(PQntuples(result.pointer)) }
    var indices: Range<Int> { 0..<count }

    /// The number of rows that the statement changed.
    var changed: Int {
        var number = 0
        var digits = PQcmdTuples(result.pointer)!
        while digits.pointee != 0 {
            number = number * 10 + Int(digits.pointee) - 48
            digits += 1
        }
        return number
    }

    // MARK: By name

    /// Finds the columns, once for all rows.
    func columns<Columns: RowColumns>(_: Columns.Type = Columns.self) -> Columns {
        var finder = ColumnFinder(result)
        let columns = Columns(&finder)
        precondition(finder.flaws.isEmpty, "a result has \(finder.flaws.joined(separator: ", "))")
        return columns
    }

    /// What is missing for rows of this kind.
    func flaws(for kind: any RowColumns.Type) -> [String] {
        var finder = ColumnFinder(result)
        _ = kind.init(&finder)
        return finder.flaws
    }

    subscript<Value>(row: Int, column: Column<Value>) -> Value {
        Value(binary: raw(row, column.index))
    }

    /// `nil` for NULL.
    func optional<Value>(_ row: Int, _ column: Column<Value>) -> Value? {
        isNull(row, column) ? nil : self[row, column]
    }

    func isNull(_ row: Int, _ column: Column<some ColumnValue>) -> Bool {
        PQgetisnull(result.pointer, Int32(row), column.index) == 1
    }

    /// The values of the only column.
    func values<Value: ColumnValue>(_: Value.Type = Value.self) -> [Value] {
        let only = columns(OnlyColumn<Value>.self).value
        return indices.map { self[$0, only] }
    }

    /// The only value of the first row.
    func value<Value: ColumnValue>(_: Value.Type = Value.self) -> Value {
        self[0, columns(OnlyColumn<Value>.self).value]
    }

    // MARK: By position, for the migrator and for tests

    func int64(_ row: Int, _ column: Int) -> Int64 { Int64(binary: raw(row, Int32(column))) }
    func int32(_ row: Int, _ column: Int) -> Int32 { Int32(binary: raw(row, Int32(column))) }
    func bool(_ row: Int, _ column: Int) -> Bool { Bool(binary: raw(row, Int32(column))) }
    func bytes(_ row: Int, _ column: Int) -> [UInt8] { [UInt8](binary: raw(row, Int32(column))) }
    func string(_ row: Int, _ column: Int) -> String { String(binary: raw(row, Int32(column))) }

    private func raw(_ row: Int, _ column: Int32) -> UnsafeRawBufferPointer {
        let length = PQgetlength(result.pointer, Int32(row), column)
        return UnsafeRawBufferPointer(start: PQgetvalue(result.pointer, Int32(row), column), count: Int(length))
    }
}
