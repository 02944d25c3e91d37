import Testing

@testable import QueueCore
@testable import Simulation

/// The cost of work on tubes depends on what happens in them, not on how many tubes exist.
@Suite("very many tubes")
struct ManyTubesTests {
    let world = World()

    /// Tubes with a job each, put by SQL.
    private func fill(_ count: Int) {
        for n in 1...count { _ = world.database.putForeign(in: TubeName(unchecked: "t\(n)"), at: world.now) }
        world.act { queue, _ in queue.othersCounted() }
        world.advance(.seconds(2))
    }

    @Test func onlyTubesWithSomethingGoingOnAreLookedAtAgainAndAgain() {
        fill(1000)
        #expect(world.queue.tubes.listing.count == 1001)
        #expect(world.queue.tubes.active == [world.queue.tubes.defaultTube] || world.queue.tubes.active.isEmpty)
        let worker = world.connect(watching: "t7")
        #expect(worker.asks(.reserve)?.isReserved == true)
        #expect(world.queue.tubes.active.count <= 2)
        worker.disconnects()
        world.advance(.seconds(10))
        #expect(world.queue.tubes.active.count <= 1)
        // What was known of the tube is not used when a client comes back.
        #expect(world.connect(watching: "t7").asks(.reserve)?.isReserved == true)
    }

    @Test func theSumsAreThoseOfTheTubes() {
        fill(20)
        let client = world.connect(using: "t1", watching: "t2")
        client.sends(.put("a", delay: 100), .put("b", priority: 5000), .reserve, .bury(2, priority: 3))
        client.sends(.watch("t3"), .reserve, .use("t9"), .put("c"), .delete(5))
        _ = client.hears()
        var sum = JobCounts()
        for slot in world.queue.tubes.listing {
            let jobs = world.queue.tubes[slot].jobs
            sum.urgent += jobs.urgent
            sum.ready += jobs.ready
            sum.reserved += jobs.reserved
            sum.delayed += jobs.delayed
            sum.buried += jobs.buried
        }
        #expect(client.asks(.stats)?.brokerStats?.jobs == sum)
        #expect(sum.buried == 1 && sum.reserved == 1 && sum.delayed == 1)
    }

    @Test func theRowsOfManyNewTubesAreAskedForTogether() {
        world.queries = .stopped
        let client = world.connect()
        for n in 1...50 { client.sends(.use(TubeName(unchecked: "n\(n)")), .put("x")) }
        var asked: [PendingQuery] = []
        world.act { asked = $0.takeQueries(now: $1) }
        let opened = asked.filter { if case .openTube = $0.query { true } else { false } }
        #expect(opened.count == 50)
    }

    @Test func aPutDoesNotWaitForOthersTubes() {
        world.queries = .stopped
        let (other, client) = (world.connect(), world.connect())
        client.sends(.put("first"))
        world.queries = .flowing
        #expect(client.hears() == [.inserted(1)])
        world.queries = .stopped
        for n in 1...50 { other.sends(.use(TubeName(unchecked: "n\(n)")), .put("x")) }
        client.sends(.put("second"))
        #expect(client.hears() == [.inserted(2)])
    }

    @Test func aClientsPutsKeepTheirOrderAllTheSame() {
        let client = world.connect()
        client.sends(.put("a"))
        _ = client.hears()
        world.queries = .stopped
        client.sends(.use("new"), .put("b"), .use("default"), .put("c"))
        world.queries = .flowing
        #expect(client.hears() == [.using("new"), .inserted(2), .using("default"), .inserted(3)])
    }

    @Test func manyPausesAreNotAskedAfterOneByOne() {
        let client = world.connect()
        for n in 1...20 {
            let tube = TubeName(unchecked: "p\(n)")
            client.sends(.use(tube), .put("x"), .pauseTube(tube, seconds: UInt32(n)))
        }
        _ = client.hears()
        let worker = world.connect()
        for n in 1...20 { worker.sends(.watch(TubeName(unchecked: "p\(n)"))) }
        worker.sends(.reserve, .reserve)
        world.advance(.milliseconds(2500))
        #expect(worker.hears().filter(\.isReserved).count == 2)
        #expect(world.queue.tubes.pauses.nextEnd > world.now)
    }
}

/// Rows of tubes that nobody needs are removed. A client that needs the tube then gets another row.
@Suite("tubes that are removed")
struct RemovedTubeTests {
    let world = World()

    private func remove(_ name: TubeName) -> TubeID {
        let row = world.database.tube(name)!.id
        let marked = world.database.markTubes(world.queue.epoch, except: { $0 != row }, at: world.now)
        #expect(world.database.removeTubes(marked, world.queue.epoch, at: world.now) == [row])
        return row
    }

    @Test func nothingIsLeftOfATubeThatWasUsedOnce() {
        let client = world.connect(using: "once", watching: "once")
        client.sends(.put("a"), .reserve, .delete(1))
        client.disconnects()
        let row = remove("once")
        world.act { $0.removed([row], now: $1) }
        #expect(world.queue.tubes.rows.byName["once"] == nil && world.queue.tubes.rows.names[row] == nil)
        #expect(world.queue.tubes.byName.count == 1)
        #expect(world.database.tubes.allSatisfy { $0.name != "once" })
    }

    /// Another broker removed it while it took this one for dead.
    @Test func aTubeThatIsGoneAtTheNextRegistrationIsForgotten() {
        let client = world.connect(using: "t")
        client.sends(.put("a"))
        client.disconnects()
        #expect(world.connect().asks(.listTubes) == .tubes(["default", "t"]))
        world.act { $0.detach(now: $1) }
        world.database.rows[1] = nil
        world.database.tubes.removeAll { $0.name == "t" }
        world.attach()
        #expect(world.connect().asks(.listTubes) == .tubes(["default"]))
    }

    @Test func whatIsUsedHereIsNeeded() {
        let client = world.connect(using: "t")
        client.sends(.put("a"), .delete(1))
        let row = world.database.tube("t")!.id
        #expect(world.queue.unneeded([row, 77]) == [77])
        client.disconnects()
        #expect(world.queue.unneeded([row]) == [row])
    }

    @Test("invariant 1: a put into a tube that another broker has removed goes into its next row")
    func putAfterRemoval() {
        let client = world.connect(using: "t", watching: "t")
        client.sends(.put("a"), .delete(1))
        _ = client.hears()
        let row = remove("t")
        client.sends(.put("b"))
        // The first put was refused together with its id.
        #expect(client.hears() == [.inserted(3)])
        #expect(world.database.tube("t")!.id != row)
        #expect(client.asks(.reserve) == .reserved(3, "b"))
        #expect(client.asks(.statsTube("t"))?.tubeStats?.jobs == JobCounts(reserved: 1))
    }

    @Test func aPutWithAKeyToo() {
        let client = world.connect(using: "t", watching: "t")
        client.sends(.put("a"), .delete(1))
        _ = client.hears()
        _ = remove("t")
        client.sends(.putUnique("k", "b"))
        #expect(client.hears() == [.inserted(3)])
        #expect(client.asks(.reserve) == .reserved(3, "b"))
    }

    @Test func whoWaitsForATubeThatWasRemovedGetsWhatIsPutThere() {
        let worker = world.connect(watching: "t")
        let producer = world.connect(using: "t")
        producer.sends(.put("a"))
        #expect(worker.asks(.reserve) == .reserved(1, "a"))
        worker.sends(.delete(1), .reserve)
        #expect(worker.hears() == [.deleted])
        let row = remove("t")
        world.act { $0.removed([row], now: $1) }
        producer.sends(.put("b"))
        #expect(worker.hears() == [.reserved(2, "b")])
    }

    /// The tubes were read before the row was removed.
    @Test func anOldReadingDoesNotBringItBack() {
        world.peers = 1
        world.beat()
        let client = world.connect(using: "t")
        client.sends(.put("a"), .delete(1), .use("default"))
        _ = client.hears()
        world.act { queue, _ in _ = queue.beginCounting() }
        let rows = world.database.tubeRows(at: world.now)
        let row = remove("t")
        world.act { $0.removed([row], now: $1) }
        world.act { $0.learn(rows, readAt: $1, now: $1) }
        #expect(world.queue.tubes.rows.byName["t"] == nil)
    }

    @Test func anotherBrokersRowTakesItsPlace() {
        let worker = world.connect(watching: "t")
        world.connect(using: "t").sends(.put("a"))
        #expect(worker.asks(.reserve) == .reserved(1, "a"))
        worker.sends(.delete(1), .reserve)
        _ = worker.hears()
        _ = remove("t")
        let id = world.database.putForeign(in: "t", at: world.now)
        let tube = world.database.tube("t")!.id
        world.act { $0.noticed(Notice(tube: tube, name: "t", key: JobKey(priority: 0, id: id)), now: $1) }
        world.settle()
        #expect(worker.hears() == [.reserved(id, "foreign")])
    }
}

extension Reply {
    fileprivate var isReserved: Bool { if case .reserved = self { true } else { false } }
}
