/// Members of a heap, which are told their positions.
protocol HeapPositions {
    mutating func setPosition(_ position: Int, of slot: Int)
}

/// A binary min-heap of (key, slot) whose members know their positions. So any of them can be removed in O(log n).
/// The positions are stored in the members, which are passed to each operation.
struct IndexedHeap<Key: Comparable> {
    struct Entry {
        var key: Key
        var slot: Int
    }

    private(set) var entries: ContiguousArray<Entry> = []

    var isEmpty: Bool { entries.isEmpty }
    var count: Int { entries.count }
    var min: Entry? { entries.first }

    mutating func insert(_ slot: Int, key: Key, in members: inout some HeapPositions) {
        entries.append(Entry(key: key, slot: slot))
        siftUp(entries.count - 1, &members)
    }

    mutating func remove(at position: Int, in members: inout some HeapPositions) {
        let gone = entries[position].slot
        let last = entries.removeLast()
        if position < entries.count {
            entries[position] = last
            settle(position, &members)
        }
        members.setPosition(-1, of: gone)
    }

    mutating func update(at position: Int, key: Key, in members: inout some HeapPositions) {
        entries[position].key = key
        settle(position, &members)
    }

    mutating func removeAll() {
        entries.removeAll()
    }

    private mutating func settle(_ position: Int, _ members: inout some HeapPositions) {
        if position > 0, entries[position].key < entries[(position - 1) / 2].key {
            siftUp(position, &members)
        } else {
            siftDown(position, &members)
        }
    }

    private mutating func siftUp(_ start: Int, _ members: inout some HeapPositions) {
        var hole = start
        let entry = entries[start]
        while hole > 0 {
            let parent = (hole - 1) / 2
            guard entry.key < entries[parent].key else { break }
            place(entries[parent], at: hole, &members)
            hole = parent
        }
        place(entry, at: hole, &members)
    }

    private mutating func siftDown(_ start: Int, _ members: inout some HeapPositions) {
        var hole = start
        let entry = entries[start]
        while true {
            var child = 2 * hole + 1
            guard child < entries.count else { break }
            if child + 1 < entries.count, entries[child + 1].key < entries[child].key { child += 1 }
            guard entries[child].key < entry.key else { break }
            place(entries[child], at: hole, &members)
            hole = child
        }
        place(entry, at: hole, &members)
    }

    private mutating func place(_ entry: Entry, at position: Int, _ members: inout some HeapPositions) {
        entries[position] = entry
        members.setPosition(position, of: entry.slot)
    }
}
