import Testing

@testable import QueueCore
@testable import Simulation

/// What the queue counts in each tube, and what it tells of itself.
@Suite("Activity")
struct ActivityTests {
    let world = World()

    private func activity(_ tube: TubeName = .default) -> TubeActivity? {
        world.queue.snapshot(of: tube, now: world.now)?.activity
    }

    private func told() -> [ActivityChange] { world.queue.takeActivity(limit: 100) }

    private func bucket(_ seconds: Double) -> Int {
        DurationHistogram.bounds.firstIndex { seconds <= $0 } ?? DurationHistogram.bounds.count
    }

    @Test func aLifeIsCountedInItsTube() {
        let producer = world.connect(using: "mail")
        let worker = world.connect(watching: "mail")
        producer.sends(.put("12345"))
        world.advance(.seconds(3))
        worker.sends(.reserve)
        world.advance(.seconds(20))
        worker.sends(.delete(1))
        let found = activity("mail")
        #expect(found?.puts == 1)
        #expect(found?.bodyBytes == 5)
        #expect(found?.reserves == 1)
        #expect(found?.deletes == 1)
        #expect(found?.waited.counts[bucket(3)] == 1)
        #expect(found?.waited.count == 1)
        #expect(found?.waited.sum == 3)
        #expect(found?.worked.counts[bucket(20)] == 1)
        #expect(found?.worked.sum == 20)
        #expect(activity()?.puts == 0)
    }

    @Test func onlyTheFirstReserveEndsTheWaiting() {
        let client = world.connect()
        client.sends(.put("a"), .reserve)
        world.advance(.seconds(2))
        client.sends(.release(1, priority: 0, delay: 0), .reserve)
        world.advance(.seconds(1))
        client.sends(.delete(1))
        #expect(activity()?.reserves == 2)
        #expect(activity()?.releases == 1)
        #expect(activity()?.waited.count == 1)
        #expect(activity()?.worked.sum == 1, "from the last reserve")
    }

    @Test func aDeleteOfAJobThatNobodyHoldsIsNoWork() {
        let client = world.connect()
        client.sends(.put("a"), .put("b", delay: 100), .delete(1), .delete(2))
        #expect(client.hears().suffix(2) == [.deleted, .deleted])
        #expect(activity()?.deletes == 2)
        #expect(activity()?.worked.count == 0)
    }

    @Test func whatIsRefusedIsNotCounted() {
        let client = world.connect()
        client.sends(.delete(7), .release(7, priority: 0, delay: 0), .kickJob(7))
        world.writeRefusal = .failed
        client.sends(.put("a"))
        #expect(client.hears().last == .internalError)
        #expect(activity() == TubeActivity())
    }

    @Test func buriesKicksAndTimeouts() {
        let client = world.connect()
        client.sends(.put("a", ttr: 1), .reserve, .bury(1, priority: 0), .kick(bound: 10), .reserve)
        world.advance(.seconds(1))
        #expect(activity()?.buries == 1)
        #expect(activity()?.kicks == 1)
        #expect(activity()?.timeouts == 1)
        client.sends(.reserve, .bury(1, priority: 0), .kickJob(1))
        #expect(client.hears().last == .kickedJob)
        #expect(activity()?.buries == 2)
        #expect(activity()?.kicks == 2)
    }

    @Test func aDelayThatEndsIsNoKick() {
        world.connect().sends(.put("a", delay: 1))
        world.advance(.seconds(2))
        #expect(activity()?.kicks == 0)
    }

    @Test func aReleaseThatBuriesIsBoth() {
        world.setPolicy { $0.buryAfterReleases = 1 }
        let client = world.connect()
        client.sends(.put("a"), .reserve, .release(1, priority: 0, delay: 0))
        #expect(activity()?.releases == 1)
        #expect(activity()?.buries == 1)
    }

    @Test func aPutWithAKeyCountsIfThereWasNone() {
        let client = world.connect()
        client.sends(.putUnique("k", "abc"), .putUnique("k", "abc"))
        #expect(activity()?.puts == 1)
        #expect(activity()?.bodyBytes == 3)
    }

    @Test func whatSessionsPutAndFinishCounts() {
        let row = world.database.openTube("sql").id
        let tube = TubeRow(id: row, name: "sql", pause: 0, pauseLeft: 0, counts: StateCounts(ready: 2))
        world.act { $0.learn([SQLChange(tube: tube, first: nil, puts: 5, deletes: 3)], readAt: $1, now: $1) }
        #expect(activity("sql")?.puts == 5)
        #expect(activity("sql")?.deletes == 3)
        let gone = TubeRow(id: row + 1, name: "gone", pause: 0, pauseLeft: 0, counts: StateCounts())
        world.act { $0.learn([SQLChange(tube: gone, first: nil, puts: 1, deletes: 1)], readAt: $1, now: $1) }
        #expect(told().map(\.name.description).sorted() == ["gone", "sql"])
    }

    // MARK: What is told

    @Test func itIsToldOnce() {
        let client = world.connect()
        client.sends(.put("a"), .put("b"))
        #expect(told().map(\.activity.puts) == [2])
        #expect(told().isEmpty)
        client.sends(.put("c"), .reserve)
        let second = told()
        #expect(second.map(\.activity.puts) == [1])
        #expect(second.first?.activity.reserves == 1)
        #expect(second.first?.activity.waited.count == 1)
        #expect(activity()?.puts == 3, "the sum goes on")
    }

    @Test func aTubeThatIsGoneIsToldToo() {
        let client = world.connect(using: "short", watching: "short")
        client.sends(.put("a"), .reserve, .delete(1))
        client.disconnects()
        #expect(world.queue.snapshot(of: "short", now: world.now) == nil)
        let change = told()
        #expect(change.map(\.name) == ["short"])
        #expect(change.first?.activity.deletes == 1)
        #expect(told().isEmpty)
    }

    @Test func tubesThatComeAndGoCostNothingUntold() {
        for number in 0..<3000 {
            let client = world.connect(using: TubeName(unchecked: "t\(number)"))
            client.sends(.put("a"), .delete(JobID(number + 1)))
            client.disconnects()
        }
        #expect(world.queue.activity.logsToTell.count <= 1100)
        #expect(world.queue.activity.gone.count == 3000)
    }

    @Test func manyAreToldAFewAtATime() {
        let client = world.connect()
        for number in 0..<10 { client.sends(.use(TubeName(unchecked: "t\(number)")), .put("a")) }
        #expect(world.queue.untoldActivity == 10)
        #expect(world.queue.takeActivity(limit: 4).count == 4)
        #expect(world.queue.takeActivity(limit: 4).count == 4)
        #expect(world.queue.takeActivity(limit: 4).count == 2)
    }

    // MARK: Snapshots

    @Test func aSnapshotHasTheTubesAndTheirJobs() {
        let client = world.connect(using: "a", watching: "a")
        client.sends(.put("1"), .put("2", delay: 9), .reserve, .pauseTube("a", seconds: 100))
        let snapshot = world.queue.snapshot(now: world.now)
        #expect(snapshot.isEpochValid && snapshot.isSole)
        #expect(snapshot.stats.jobs == JobCounts(reserved: 1, delayed: 1))
        let tube = snapshot.tubes.first { $0.name == "a" }
        #expect(tube?.jobs == JobCounts(reserved: 1, delayed: 1))
        #expect(tube?.pause == 100)
        #expect(tube?.pauseLeft == 99)
        #expect(tube?.using == 1)
    }

    @Test func fromTheEndToTheBeginningNoTubeIsMissed() {
        let client = world.connect()
        var users: [Client] = []
        for number in 0..<9 { users.append(world.connect(using: TubeName(unchecked: "t\(number)"))) }
        _ = client
        var seen = world.queue.snapshot(ofTubesBefore: 10, limit: 4, now: world.now).map(\.name.description)
        users[0].disconnects()
        for end in [6, 2] {
            seen += world.queue.snapshot(ofTubesBefore: end, limit: 4, now: world.now).map(\.name.description)
        }
        #expect(Set(seen).isSuperset(of: ["default"] + (1..<9).map { "t\($0)" }))
    }

    // MARK: Clients

    @Test func clientsAndWhatTheyHave() {
        let producer = world.connect(using: "a")
        producer.sends(.put("1"), .put("2"))
        let worker = world.connect(watching: "a")
        worker.sends(.reserve, .reserve)
        let idle = world.connect(watching: "b")
        idle.sends(.reserve)
        let found = Dictionary(uniqueKeysWithValues: world.queue.clients(limit: 10).map { ($0.id, $0) })
        #expect(found[producer.handler.id]?.isProducer == true)
        #expect(found[producer.handler.id]?.using == "a")
        #expect(found[worker.handler.id]?.holds == [2, 1])
        #expect(found[worker.handler.id]?.held == 2)
        #expect(found[idle.handler.id]?.isWaiting == true)
        #expect(found[idle.handler.id]?.watching == ["b"])
        #expect(world.queue.holder(of: 1) == worker.handler.id)
        worker.sends(.delete(1))
        #expect(world.queue.holder(of: 1) == nil)
        #expect(world.queue.clients(limit: 2).count == 2)
    }
}
