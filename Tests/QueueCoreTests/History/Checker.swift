@testable import QueueCore

/// Watches a history from outside: what clients were told, what the database says, what the broker believes.
struct Checker {
    private let world: World
    private(set) var problem: String?
    /// Jobs that other brokers have put and that nobody has told this one of.
    var foreign: Set<JobID> = []

    private var sent: [ConnectionID: [Command]] = [:]
    private var inserted: Set<JobID> = []
    private var deleted: Set<JobID> = []
    /// Taken by `reserve-job`, to which no order applies.
    private var chosen: Set<JobID> = []

    /// Before the event at hand: jobs in the cache, held jobs, and paused tubes.
    private var cached: Set<JobID> = []
    private var held: [JobID: Int] = [:]
    /// A refused change gives these back to their holders, without any order.
    private var settling: Set<JobID> = []
    private var isDead = false
    private var paused: Set<Int> = []
    private var pauses: [TubeName: UInt64] = [:]

    init(_ world: World) { self.world = world }

    mutating func fail(_ problem: String) { if self.problem == nil { self.problem = problem } }

    mutating func forget(_ client: Client) { sent[client.id] = [] }

    mutating func sent(_ client: Client, _ command: Command) {
        sent[client.id, default: []].append(command)
        if case .reserveJob(let id) = command { chosen.insert(id) }
    }

    /// By clients that have not heard so, some of them because they have gone.
    private var maybeDeleted: [JobID] {
        sent.values.joined().compactMap { if case .delete(let id) = $0 { id } else { nil } }
    }

    // MARK: What clients hear

    mutating func hear(_ client: Client, _ reply: Reply) {
        guard let command = sent[client.id]?.first else { return fail("a reply to nothing: \(reply)") }
        sent[client.id]?.removeFirst()
        switch (command, reply) {
        case (.put, .inserted(let id)):
            if !inserted.insert(id).inserted { fail("\(id) was inserted twice") }
            if world.database.rows[id] == nil, !deleted.contains(id), !maybeDeleted.contains(id) {
                fail("invariant 1: \(id) is not durable")
            }
        case (.delete(let id), .deleted):
            deleted.insert(id)
            if world.database.rows[id] != nil { fail("invariant 1: \(id) was not deleted") }
        case (_, .reserved(let id, let body)):
            if deleted.contains(id) { fail("invariant 3: \(id) was given out after it was deleted") }
            if let row = world.database.rows[id], row.body != body { fail("\(id) came with another body") }
        default: break
        }
    }

    // MARK: Order

    /// After each event: whoever was given a job was given the smallest.
    mutating func observe(_ world: World) {
        isDead = !world.database.epochs.contains(world.queue.epoch)
        if !isDead { checkLeases() }
        var heldNow: [JobID: Int] = [:]
        var cachedNow: Set<JobID> = []
        var settlingNow: Set<JobID> = []
        for (id, slot) in world.queue.jobSlots {
            if world.queue.jobs[slot].phase == .settling { settlingNow.insert(id) }
            if world.queue.jobs[slot].phase == .held { heldNow[id] = world.queue.jobs[slot].owner }
            if world.queue.jobs[slot].phase == .cached { cachedNow.insert(id) }
        }
        if !isDead {
            for (id, owner) in heldNow where held[id] != owner && !chosen.union(settling).contains(id) {
                checkSmallest(id, owner, still: cachedNow)
            }
        }
        held = heldNow
        cached = cachedNow
        settling = settlingNow
        paused = world.queue.pausedTubes
        pauses = world.queue.tubeSlots.mapValues { world.queue.tubes[$0].pauses }
    }

    /// Whoever else may claim now must find a lease on what this broker gives out.
    private mutating func checkLeases() {
        guard world.database.sole != world.queue.epoch else { return }
        for (id, slot) in world.queue.jobSlots where world.queue.jobs[slot].phase != .settling {
            guard let row = world.database.rows[id], row.lease != world.queue.epoch else { continue }
            fail("invariant 2: \(id) is \(world.queue.jobs[slot].phase), and anybody may claim it")
        }
    }

    private mutating func checkSmallest(_ id: JobID, _ owner: Int, still: Set<JobID>) {
        guard let slot = world.queue.jobSlots[id] else { return }
        let key = world.queue.jobs[slot].key
        // A tube that was paused at any moment of the event does not count.
        let watched = Set(
            world.queue.connections[owner].watched.filter {
                world.queue.tubes[$0].pausedUntil == nil && !paused.contains($0)
                    && world.queue.tubes[$0].pauses == pauses[world.queue.tubes[$0].name]
            })
        for row in world.database.rows.values where row.state == .ready && row.key < key {
            guard let tube = world.queue.tubeSlotsByRow[row.tube], watched.contains(tube) else { continue }
            guard !world.untold.contains(row.id), !foreign.contains(row.id) else { continue }
            let isOwn = row.lease == world.queue.epoch
            if isOwn || world.database.isFree(row), world.queue.jobSlots[row.id] != nil {
                if cached.contains(row.id), still.contains(row.id) {
                    fail("invariant 4: \(key) given before \(row.key)")
                }
            } else if isOwn
                ? world.queue.limbo[row.id] == nil
                : world.database.isFree(row) && world.queue.limbo[row.id]?.row == nil
            {
                fail("invariant 4: \(key) given before \(row.key) of tube \(row.tube), which only the database has")
            }
        }
    }
}

// MARK: Quiet

extension Checker {
    /// Nothing is under way: memory and database must agree.
    mutating func checkQuiet(countsAreKnown: Bool) {
        guard world.isQuiet else { return fail("not quiet") }
        checkRows()
        checkJobs()
        checkSums()
        if countsAreKnown { checkCounts() }
    }

    private mutating func checkRows() {
        for id in inserted.subtracting(deleted).subtracting(maybeDeleted) where world.database.rows[id] == nil {
            fail("\(id) is lost")
        }
        for row in world.database.rows.values {
            guard let tube = world.queue.tubeSlotsByRow[row.tube] else { continue }
            let cache = world.queue.tubes[tube].cache
            if row.lease == world.queue.epoch {
                let isReread = cache.readsOwn || world.queue.sharing == .sole
                let willBeRead = isReread && row.state == .ready && row.key >= cache.horizon
                if world.queue.jobSlots[row.id] == nil, !willBeRead { fail("the lease of \(row.id) has leaked") }
            } else if world.database.isFree(row), row.state == .ready, row.key < cache.horizon {
                guard world.queue.jobSlots[row.id] == nil else { continue }
                if !foreign.contains(row.id) { fail("\(row.id) lies below the horizon \(cache.horizon)") }
            }
        }
    }

    private mutating func checkJobs() {
        for (id, slot) in world.queue.jobSlots {
            let job = world.queue.jobs[slot]
            guard let row = world.database.rows[id] else { return fail("\(id) is here, and not in the database") }
            let isCovered = job.isImplicit && world.database.sole == world.queue.epoch && world.database.isFree(row)
            if row.lease != world.queue.epoch, !isCovered {
                fail("invariant 2: \(id) is \(job.phase) without its lease")
            }
            if job.phase == .settling { fail("\(id) settles for ever") }
            if row.state != job.stored || row.priority != job.key.priority { fail("\(id) differs from its row") }
            if job.phase != .held, world.database.isReserved(row) {
                fail("invariant 6: the row of \(id) tells of a reservation")
            }
        }
    }

    private mutating func checkSums() {
        let jobs = world.queue.jobSlots.values.map { world.queue.jobs[$0] }
        if world.queue.cachedBytes != jobs.reduce(0, { $0 + $1.charged }) { fail("the budget is off") }
        if world.queue.deadlines.count != jobs.count(where: { $0.phase == .held }) { fail("deadlines without jobs") }
        if world.queue.pendingBytes != 0 { fail("pending bytes are off") }
        if !world.queue.limbo.isEmpty { fail("something is in limbo for ever") }
        let open = world.queue.connections.elements.filter(\.isOpen)
        if world.queue.waiting != open.count(where: { $0.wait != nil }) { fail("waiting is off") }
        if world.queue.producers != open.count(where: \.isProducer) { fail("producers are off") }
        if world.queue.workers != open.count(where: \.isWorker) { fail("workers are off") }
        if open.contains(where: { !$0.replies.isEmpty || $0.parked != nil }) { fail("a reply is owed for ever") }
    }

    private mutating func checkCounts() {
        for tube in world.database.tubes {
            let counts = world.database.counts(of: tube.id)
            let known = world.queue.tubeSlots[tube.name].map { world.queue.tubes[$0].stored } ?? StateCounts()
            if counts != known { fail("the counts of \(tube.name) are \(known), but the rows say \(counts)") }
        }
    }

    /// The jobs of other brokers have had time to be noticed.
    mutating func checkNobodyWaitsForNothing() {
        for connection in world.queue.connections.elements where connection.isOpen && connection.wait != nil {
            for tube in connection.watched where world.queue.tubes[tube].pausedUntil == nil {
                guard let row = world.queue.tubes[tube].row else { continue }
                let claimable = world.database.claimable(in: row).filter { world.queue.jobSlots[$0.id] == nil }
                if let first = claimable.first { fail("somebody waits for \(first.id)") }
                if let first = world.queue.tubes[tube].cache.heap.min {
                    fail("somebody waits for the cached \(first.key.id)")
                }
            }
        }
    }

    /// Cached jobs that no client here waits for, while other brokers may have clients that do.
    var idleLeases: Set<JobID> {
        guard world.peers > 0 else { return [] }
        let idle = world.queue.jobSlots.filter { _, slot in
            world.queue.jobs[slot].phase == .cached && world.queue.tubes[world.queue.jobs[slot].tube].waiting == 0
        }
        return Set(idle.keys)
    }
}
