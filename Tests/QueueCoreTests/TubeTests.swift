import Testing

@testable import QueueCore
@testable import Simulation

@Suite("tubes, pauses, statistics")
struct TubeTests {
    let world = World()

    @Test func useWatchIgnore() {
        let client = world.connect()
        client.sends(.use("a"), .listTubeUsed, .watch("b"), .watch("b"), .ignore("x"), .ignore("default"), .ignore("b"))
        #expect(
            client.hears() == [
                .using("a"), .using("a"), .watching(2), .watching(2), .watching(2), .watching(1), .notIgnored,
            ])
    }

    @Test func theLastListedTakesThePlaceOfOneThatGoes() {
        let client = world.connect()
        client.sends(.watch("t0"), .watch("t1"), .watch("t2"), .watch("t3"), .ignore("t0"))
        _ = client.hears()
        client.sends(.listTubesWatched, .listTubes)
        #expect(client.hears() == [.tubes(["default", "t3", "t1", "t2"]), .tubes(["default", "t3", "t1", "t2"])])
    }

    @Test func aTubeGoesWithItsLastReferenceAndItsCounters() {
        let client = world.connect(using: "t")
        client.sends(.put("a"), .use("default"), .delete(1))
        _ = client.hears()
        #expect(client.asks(.listTubes) == .tubes(["default"]))
        #expect(client.asks(.statsTube("t")) == .notFound)
        #expect(client.asks(.pauseTube("t", seconds: 1)) == .notFound)
        client.sends(.use("t"))
        #expect(client.asks(.statsTube("t"))?.tubeStats?.totalJobs == 0)
    }

    /// Another broker, or SQL, has put there a moment ago.
    @Test func aTubeThatIsNotKnownYetIsLookedUp() {
        let client = world.connect()
        _ = world.database.putForeign(in: "new", at: world.now)
        #expect(client.asks(.statsTube("new"))?.tubeStats?.jobs == JobCounts(urgent: 1, ready: 1))
        #expect(client.asks(.statsTube("other")) == .notFound)
        #expect(client.asks(.pauseTube("new", seconds: 5)) == .paused)
        #expect(client.asks(.statsTube("new"))?.tubeStats?.pause == 5)
    }

    @Test func aTubeStaysWhileAPutIsOnItsWay() {
        let client = world.connect(using: "t")
        world.writes = .taken
        client.sends(.put("a"), .use("default"))
        #expect(world.connect().asks(.listTubes) == .tubes(["default", "t"]))
        world.writes = .flowing
        #expect(client.hears() == [.inserted(1), .using("default")])
    }

    @Test func aPauseHoldsReservesBack() {
        let client = world.connect()
        client.sends(.put("a"), .pauseTube("default", seconds: 2), .reserveWithTimeout(seconds: 0), .reserve)
        #expect(client.hears() == [.inserted(1), .paused, .timedOut])
        world.advance(.milliseconds(1999))
        #expect(client.hears() == [])
        world.advance(.milliseconds(1))
        #expect(client.hears() == [.reserved(1, "a")])
    }

    @Test func zeroSecondsEndAPause() {
        let (client, other) = (world.connect(), world.connect())
        client.sends(.put("a"), .pauseTube("default", seconds: 1000), .reserve)
        let stats = other.asks(.statsTube("default"))?.tubeStats
        #expect(stats?.pause == 1000)
        #expect([999, 1000].contains(stats?.pauseTimeLeft))
        #expect(other.asks(.pauseTube("default", seconds: 0)) == .paused)
        #expect(client.hears() == [.inserted(1), .paused, .reserved(1, "a")])
        #expect(other.asks(.statsTube("default"))?.tubeStats?.pauses == 2)
    }

    @Test func anotherTubeIsNotPaused() {
        let client = world.connect()
        client.sends(.put("a"), .use("t"), .put("b", priority: 9), .watch("t"), .pauseTube("default", seconds: 10))
        _ = client.hears()
        #expect(client.asks(.reserve) == .reserved(2, "b"))
    }

    @Test("invariant 4: pauses that are over at the same time are over before anybody is served")
    func pausesEndTogether() {
        let client = world.connect()
        for priority in (1...8).reversed() {
            let tube = TubeName(unchecked: "t\(priority)")
            client.sends(.use(tube), .watch(tube), .put("\(priority)", priority: UInt32(priority)))
            client.sends(.pauseTube(tube, seconds: 2))
        }
        client.sends(.reserve)
        _ = client.hears()
        world.jump(.seconds(3))
        world.advance(.milliseconds(1))
        #expect(client.hears() == [.reserved(8, "1")])
    }

    /// The row was read before the tube was removed, and is learned when the tube exists again.
    @Test func aPauseThatWentWithItsTubeDoesNotComeBack() {
        let client = world.connect(using: "t")
        client.sends(.put("a"), .pauseTube("t", seconds: 100))
        world.advance(.milliseconds(1))
        let (rows, readAt) = (world.database.tubeRows(at: world.now), world.now)
        client.sends(.use("default"), .delete(1))
        #expect(client.hears() == [.inserted(1), .paused, .using("default"), .deleted])
        #expect(client.asks(.listTubes) == .tubes(["default"]))
        #expect(client.asks(.use("t")) == .using("t"))
        world.advance(.milliseconds(1))
        world.act { $0.learn(rows, readAt: readAt, now: $1) }
        #expect(client.asks(.statsTube("t"))?.tubeStats?.pauseTimeLeft == 0)
    }

    @Test func aPauseSurvivesInTheDatabase() {
        let client = world.connect()
        client.sends(.put("a"), .pauseTube("default", seconds: 10))
        world.database.epochs.removeAll()
        world.beat()
        world.attach()
        #expect(world.connect().asks(.reserveWithTimeout(seconds: 0)) == .timedOut)
    }

    @Test func statsOfATube() {
        let client = world.connect(using: "t")
        client.sends(.put("1"), .put("2", priority: 2000), .put("3", delay: 9), .put("4"), .watch("t"))
        client.sends(.reserve, .bury(1, priority: 0), .reserve, .delete(2))
        world.connect(watching: "t").sends(.reserve)
        var expected = TubeStats(name: "t")
        expected.jobs = JobCounts(reserved: 1, delayed: 1, buried: 1)
        expected.totalJobs = 4
        expected.using = 1
        expected.watching = 2
        expected.waiting = 1
        expected.deletes = 1
        #expect(client.asks(.statsTube("t"))?.tubeStats == expected)
    }

    @Test func statsOfTheBroker() {
        let client = world.connect()
        client.sends(.put("a"), .reserve, .peekReady, .kick(bound: 1), .touch(1), .delete(1), .unknown, .malformed)
        let stats = client.asks(.stats)?.brokerStats
        #expect(stats?.totalJobs == 1)
        #expect(stats?.producers == 1)
        #expect(stats?.workers == 1)
        #expect(stats?.connections == 1)
        var commands = CommandCounters()
        commands.put = 1
        commands.reserve = 1
        commands.peekReady = 1
        commands.kick = 1
        commands.touch = 1
        commands.delete = 1
        commands.stats = 1
        #expect(stats?.commands == commands)
    }

    @Test func peeks() {
        let client = world.connect()
        client.sends(.peekReady, .peekDelayed, .peekBuried, .put("a", delay: 9), .put("b", delay: 5), .put("c"))
        _ = client.hears()
        client.sends(.peek(1), .peek(7), .peekReady, .peekDelayed, .peekBuried, .use("t"), .peekReady)
        #expect(
            client.hears() == [
                .found(1, "a"), .notFound, .found(3, "c"), .found(2, "b"), .notFound, .using("t"), .notFound,
            ])
    }
}
