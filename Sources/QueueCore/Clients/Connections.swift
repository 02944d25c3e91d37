/// All connections: those that are open, and those that are gone and whose jobs have not all been given back.
struct Connections {
    var table = SlotMap<Connection>()
    private var nextGeneration: UInt32 = 1
    /// Slots of connections that are gone and whose jobs have not all been given back.
    var closing: [Int] = []
    /// When waits end.
    private(set) var timers = IndexedHeap<Instant>()
    /// How many there have been.
    private(set) var opened: UInt64 = 0
    var producers = 0
    var workers = 0
    /// How many wait for a job.
    var waiting = 0
    var outboxes: Outboxes

    init(outboxes: Int) { self.outboxes = Outboxes(count: outboxes) }

    subscript(slot: Int) -> Connection {
        @inline(__always) _read { yield table[slot] }
        @inline(__always) _modify { yield &table[slot] }
    }

    var count: Int { table.count }
    var slots: Range<Int> { table.slots }
    var elements: ContiguousArray<Connection> { table.elements }

    /// - Returns: its slot.
    mutating func open(_ connection: Connection) -> Int {
        let slot = table.insert(connection)
        // The generation of a slot is never used again.
        table[slot].generation = nextGeneration
        nextGeneration &+= 1
        table[slot].isOpen = true
        opened += 1
        return slot
    }

    mutating func remove(_ slot: Int) { table.remove(slot) }

    func isOpen(_ id: ConnectionID) -> Bool {
        table[id.slot].generation == id.generation && table[id.slot].isOpen
    }

    func id(of slot: Int) -> ConnectionID { ConnectionID(slot: slot, generation: table[slot].generation) }

    // MARK: Timers

    mutating func setTimer(_ slot: Int, to at: Instant) {
        if table[slot].heapPosition >= 0 {
            timers.update(at: Int(table[slot].heapPosition), key: at, in: &table)
        } else {
            timers.insert(slot, key: at, in: &table)
        }
    }

    mutating func clearTimer(_ slot: Int) {
        if table[slot].heapPosition >= 0 { timers.remove(at: Int(table[slot].heapPosition), in: &table) }
    }

    // MARK: Output

    mutating func put(_ output: Queue.Output, for slot: Int) { outboxes.put(output, into: table[slot].outbox) }
}

/// What the shell has to do to connections, in order. Each event loop has an outbox.
struct Outboxes {
    private var outboxes: [[Queue.Output]]
    /// Bytes of the replies in each, about.
    private var bytes: [Int]

    init(count: Int) {
        outboxes = Array(repeating: [], count: count)
        bytes = Array(repeating: 0, count: count)
    }

    mutating func put(_ output: Queue.Output, into outbox: Int) { outboxes[outbox].append(output) }

    mutating func put(_ reply: Reply, for id: ConnectionID, into outbox: Int) {
        outboxes[outbox].append(.reply(id, reply))
        bytes[outbox] += reply.size
    }

    mutating func take(_ outbox: Int, into taken: inout [Queue.Output]) {
        bytes[outbox] = 0
        if taken.isEmpty {
            swap(&taken, &outboxes[outbox])
        } else {
            taken += outboxes[outbox]
            outboxes[outbox].removeAll(keepingCapacity: true)
        }
    }

    func replyBytes(_ outbox: Int) -> Int { bytes[outbox] }

    /// Those with output, as a bit set; only the first 64.
    var filled: UInt64 {
        var filled: UInt64 = 0
        for outbox in outboxes.indices where !outboxes[outbox].isEmpty { filled |= 1 << UInt64(outbox) }
        return filled
    }
}
