/// An element of a `SlotMap`.
protocol Vacatable {
    /// Releases what the element refers to when its slot becomes free.
    mutating func vacate()
}

/// Elements in numbered slots that are used again. A slot is a reference without reference counting.
struct SlotMap<Element: Vacatable> {
    private(set) var elements: ContiguousArray<Element> = []
    private var free: ContiguousArray<Int> = []

    var count: Int { elements.count - free.count }
    /// Every slot that was ever used, including vacant ones.
    var slots: Range<Int> { elements.indices }

    mutating func reserveCapacity(_ count: Int) { elements.reserveCapacity(count) }

    @inline(__always)
    mutating func insert(_ element: consuming Element) -> Int {
        if let slot = free.popLast() {
            elements[slot] = element
            return slot
        }
        elements.append(element)
        return elements.count - 1
    }

    mutating func remove(_ slot: Int) {
        elements[slot].vacate()
        free.append(slot)
    }

    subscript(slot: Int) -> Element {
        _read { yield elements[slot] }
        _modify { yield &elements[slot] }
    }
}

/// An element that knows its position in the heap that it is in.
protocol HeapMember {
    /// -1 when it is in no heap.
    var heapPosition: Int32 { get set }
}

extension SlotMap: HeapPositions where Element: HeapMember {
    mutating func setPosition(_ position: Int, of slot: Int) {
        elements[slot].heapPosition = Int32(truncatingIfNeeded: position)
    }
}
