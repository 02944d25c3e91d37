/// The row under the cursor, and the first row that is shown.
struct Cursor: Hashable, Sendable {
    var row = 0
    var top = 0

    /// - Parameters:
    ///   - count: Rows that there are.
    ///   - height: Rows that are shown.
    mutating func clamp(count: Int, height: Int) {
        row = max(0, min(row, count - 1))
        top = max(0, min(top, count - max(1, height)))
        if row < top { top = row }
        if row >= top + max(1, height) { top = row - max(1, height) + 1 }
    }

    /// - Returns: Whether the key moves a cursor.
    mutating func move(_ key: Key, count: Int, height: Int) -> Bool {
        switch key {
        case .up: row -= 1
        case .down: row += 1
        case .pageUp: row -= max(1, height - 1)
        case .pageDown: row += max(1, height - 1)
        case .home: row = 0
        case .end: row = count - 1
        default: return false
        }
        clamp(count: count, height: height)
        return true
    }
}
