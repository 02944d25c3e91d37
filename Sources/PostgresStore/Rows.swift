import CLibPQ

/// The rows of a result in PostgreSQL's binary format. Reading a column as another type than it has is a mistake in
/// this program and traps.
struct Rows {
    private let result: Result

    init(_ result: Result) {
        self.result = result
    }

    var count: Int { Int(PQntuples(result.pointer)) }
    var columns: Int { Int(PQnfields(result.pointer)) }

    /// Rows that the statement changed.
    var changed: Int {
        var number = 0
        var digits = PQcmdTuples(result.pointer)!
        while digits.pointee != 0 {
            number = number * 10 + Int(digits.pointee) - 48
            digits += 1
        }
        return number
    }

    func isNull(_ row: Int, _ column: Int) -> Bool {
        PQgetisnull(result.pointer, Int32(row), Int32(column)) == 1
    }

    func int64(_ row: Int, _ column: Int) -> Int64 { integer(row, column) }
    func int32(_ row: Int, _ column: Int) -> Int32 { integer(row, column) }
    func int16(_ row: Int, _ column: Int) -> Int16 { integer(row, column) }

    func bool(_ row: Int, _ column: Int) -> Bool {
        raw(row, column)[0] != 0
    }

    func bytes(_ row: Int, _ column: Int) -> [UInt8] {
        Array(raw(row, column))
    }

    func string(_ row: Int, _ column: Int) -> String {
        String(decoding: raw(row, column), as: UTF8.self)
    }

    private func integer<Integer: FixedWidthInteger>(_ row: Int, _ column: Int) -> Integer {
        let raw = raw(row, column)
        precondition(raw.count == MemoryLayout<Integer>.size, "column \(column) is not of the type that was expected")
        return Integer(bigEndian: raw.loadUnaligned(as: Integer.self))
    }

    private func raw(_ row: Int, _ column: Int) -> UnsafeRawBufferPointer {
        let length = PQgetlength(result.pointer, Int32(row), Int32(column))
        return UnsafeRawBufferPointer(
            start: PQgetvalue(result.pointer, Int32(row), Int32(column)), count: Int(length))
    }
}
