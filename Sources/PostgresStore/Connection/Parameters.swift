/// The parameters of one statement, in PostgreSQL's binary format: scalars, and arrays for whole batches.
struct Parameters {
    /// `nil`: NULL.
    private var values: [[UInt8]?] = []

    mutating func add(_ value: Int64) { values.append(bytes(value)) }
    mutating func add(_ value: Int32) { values.append(bytes(value)) }
    mutating func add(_ value: Int16) { values.append(bytes(value)) }
    mutating func add(_ value: Bool) { values.append([value ? 1 : 0]) }
    mutating func add(_ value: [UInt8]) { values.append(value) }
    mutating func add(_ value: String) { values.append(Array(value.utf8)) }

    /// NULL where there is no value.
    mutating func add(optional value: Int64?) { values.append(value.map { bytes($0) }) }
    mutating func add(optional value: Int16?) { values.append(value.map { bytes($0) }) }
    mutating func add(optional value: String?) { values.append(value.map { Array($0.utf8) }) }
    mutating func add(optional value: [UInt8]?) { values.append(value) }
    mutating func addNull() { values.append(nil) }

    mutating func add(int8s list: some Collection<Int64>) {
        addArray(type: 20, list, size: { _ in 8 }) { append($0, to: &$1) }
    }
    mutating func add(int4s list: some Collection<Int32>) {
        addArray(type: 23, list, size: { _ in 4 }) { append($0, to: &$1) }
    }
    mutating func add(int2s list: some Collection<Int16>) {
        addArray(type: 21, list, size: { _ in 2 }) { append($0, to: &$1) }
    }
    mutating func add(bools list: some Collection<Bool>) {
        addArray(type: 16, list, size: { _ in 1 }) { $1.append($0 ? 1 : 0) }
    }
    mutating func add(texts list: some Collection<String>) {
        addArray(type: 25, list, size: { $0.utf8.count }) { $1.append(contentsOf: $0.utf8) }
    }
    mutating func add(bytes list: some Collection<[UInt8]>) {
        addArray(type: 17, list, size: { $0.count }) { $1.append(contentsOf: $0) }
    }

    /// An array: number of dimensions, whether it has nulls, element type, length, lower bound. Then each element after
    /// its length.
    private mutating func addArray<List: Collection>(
        type: Int32, _ list: List, size: (List.Element) -> Int, write: (List.Element, inout [UInt8]) -> Void
    ) {
        var out: [UInt8] = []
        out.reserveCapacity(list.reduce(20) { $0 + 4 + size($1) })
        append(Int32(list.isEmpty ? 0 : 1), to: &out)
        append(Int32(0), to: &out)
        append(type, to: &out)
        if !list.isEmpty {
            append(Int32(list.count), to: &out)
            append(Int32(1), to: &out)
        }
        for element in list {
            append(Int32(size(element)), to: &out)
            write(element, &out)
        }
        values.append(out)
    }

    /// Lends the arguments of `PQsendQueryPrepared`: count, values, lengths, formats.
    func withPointers<T>(
        _ body: (
            Int32, UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<Int32>?, UnsafePointer<Int32>?
        ) -> T
    ) -> T {
        let lengths = values.map { Int32($0?.count ?? 0) }
        let formats = [Int32](repeating: 1, count: values.count)
        return withPointers(from: 0, []) { pointers in
            pointers.withUnsafeBufferPointer { body(Int32(values.count), $0.baseAddress, lengths, formats) }
        }
    }

    private func withPointers<T>(
        from index: Int, _ found: [UnsafePointer<CChar>?], _ body: ([UnsafePointer<CChar>?]) -> T
    ) -> T {
        guard index < values.count else { return body(found) }
        guard let value = values[index] else { return withPointers(from: index + 1, found + [nil], body) }
        return value.withUnsafeBytes { raw in
            // An empty value needs an address: a null pointer would be NULL.
            let pointer = raw.baseAddress?.assumingMemoryBound(to: CChar.self) ?? emptyValue
            return withPointers(from: index + 1, found + [pointer], body)
        }
    }
}

nonisolated(unsafe) private let emptyValue = UnsafePointer(UnsafeMutablePointer<CChar>.allocate(capacity: 1))

private func bytes(_ value: some FixedWidthInteger) -> [UInt8] {
    var out: [UInt8] = []
    append(value, to: &out)
    return out
}

private func append(_ value: some FixedWidthInteger, to out: inout [UInt8]) {
    withUnsafeBytes(of: value.bigEndian) { out.append(contentsOf: $0) }
}
