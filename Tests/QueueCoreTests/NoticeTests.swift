import Testing

@testable import QueueCore
@testable import Simulation

/// Notices to other brokers and from them (docs/ARCHITECTURE.md, Several brokers).
@Suite("notices between brokers")
struct NoticeTests {
    let world = World()

    init() {
        world.peers = 1
        world.beat()
    }

    private func takeNotices() -> Notices? {
        var taken: Notices?
        world.act { queue, _ in taken = queue.takeNotices() }
        return taken
    }

    private func tube(_ name: TubeName) -> TubeID { world.database.tube(name)?.id ?? 0 }

    @Test func whatAnybodyMayClaimIsTold() {
        let client = world.connect(using: "t")
        client.sends(.put("a", priority: 7), .put("b", priority: 3))
        #expect(takeNotices()?.readied == [tube("t"): .first])
        client.sends(.put("c", priority: 7), .put("d", priority: 3), .put("later", delay: 9))
        #expect(takeNotices()?.readied == [tube("t"): JobKey(priority: 3, id: 4)])
        #expect(takeNotices() == nil)
    }

    @Test func aloneNothingIsTold() {
        world.peers = 0
        world.beat()
        world.connect(using: "t").sends(.put("a"))
        #expect(takeNotices() == nil)
    }

    @Test func whatAWaitingClientHereGetsIsNotTold() {
        let worker = world.connect(watching: "t")
        world.connect(using: "t").sends(.put("a"))
        worker.sends(.reserve, .reserve)
        #expect(worker.hears() == [.reserved(1, "a")])
        _ = takeNotices()
        world.connect(using: "t").sends(.put("b"))
        #expect(worker.hears() == [.reserved(2, "b")])
        #expect(takeNotices()?.readied.isEmpty ?? true)
    }

    @Test func releasesKicksAndTheEndOfADelayAreTold() {
        let client = world.connect(using: "t", watching: "t")
        client.sends(.put("a"), .reserve)
        _ = takeNotices()
        client.sends(.release(1, priority: 5, delay: 0))
        #expect(takeNotices()?.readied == [tube("t"): JobKey(priority: 5, id: 1)])
        client.sends(.reserve, .bury(1, priority: 6), .kick(bound: 1))
        #expect(takeNotices()?.readied == [tube("t"): JobKey(priority: 6, id: 1)])
        client.sends(.reserve, .release(1, priority: 8, delay: 2))
        #expect(takeNotices() == nil)
        world.advance(.seconds(3))
        #expect(takeNotices()?.readied == [tube("t"): JobKey(priority: 8, id: 1)])
    }

    @Test func aTubeThatClientsWaitForIsAnnouncedOnce() {
        let worker = world.connect(watching: "t")
        worker.sends(.reserve)
        world.connect(watching: "t").sends(.reserve)
        #expect(takeNotices()?.waits == ["t": true])
        #expect(takeNotices() == nil)
    }

    @Test func whoWaitedBeforeAnotherCameIsAnnouncedThen() {
        world.peers = 0
        world.beat()
        world.connect(watching: "t").sends(.reserve)
        #expect(takeNotices() == nil)
        world.peers = 1
        world.beat()
        #expect(takeNotices()?.waits == ["t": true])
    }

    @Test func nobodyWaitsAnyMore() {
        let worker = world.connect(watching: "t")
        worker.sends(.reserveWithTimeout(seconds: 1))
        _ = takeNotices()
        world.advance(.seconds(3))
        // The client may be back in a moment.
        #expect(takeNotices() == nil)
        world.advance(.seconds(5))
        #expect(takeNotices()?.waits == ["t": false])
    }

    @Test func aTubeThatGoesIsWithdrawn() {
        let worker = world.connect(watching: "t")
        worker.sends(.reserve)
        _ = takeNotices()
        worker.disconnects()
        #expect(takeNotices()?.waits == ["t": false])
    }

    @Test func aNoticeBringsTheJob() {
        world.connect(using: "t").sends(.put("a"))
        let worker = world.connect(watching: "t")
        worker.sends(.reserve, .reserve)
        let id = world.database.putForeign(in: "t", at: world.now)
        world.act { $0.noticed(Notice(tube: tube("t"), name: "t", key: JobKey(priority: 0, id: id)), now: $1) }
        world.settle()
        #expect(worker.hears() == [.reserved(1, "a"), .reserved(id, "foreign")])
    }

    @Test func aTubeThatAnotherHasMadeIsKnownByItsNotice() {
        let worker = world.connect(watching: "new")
        worker.sends(.reserve)
        let id = world.database.putForeign(in: "new", at: world.now)
        world.act { $0.noticed(Notice(tube: tube("new"), name: "new", key: JobKey(priority: 0, id: id)), now: $1) }
        world.settle()
        #expect(worker.hears() == [.reserved(id, "foreign")])
    }

    @Test func whatWasPutBeforeOthersKnewIsLookedFor() {
        let worker = world.connect(watching: "t")
        worker.sends(.reserve)
        let id = world.database.putForeign(in: "t", at: world.now)
        world.act { $0.waitsPublished([(tube("t"), "t")], now: $1) }
        world.settle()
        #expect(worker.hears() == [.reserved(id, "foreign")])
    }

    @Test func aNewConnectionAnnouncesAgain() {
        world.connect(watching: "t").sends(.reserve)
        _ = takeNotices()
        world.act { $0.missedNotices(now: $1) }
        #expect(takeNotices()?.waits == ["t": true])
    }

    @Test func aNewTubeIsToldToAll() {
        world.connect(using: "t").sends(.put("a"))
        let notices = takeNotices()
        #expect(notices?.opened == [tube("t")])
        world.connect(using: "t").sends(.put("b"))
        #expect(takeNotices()?.opened == [])
    }

    @Test func aTubeIsKnownBeforeAnybodyMentionsItHere() {
        let id = world.database.putForeign(in: "new", at: world.now)
        world.act { $0.noticed(Notice(tube: tube("new"), name: "new", key: .first), now: $1) }
        #expect(world.connect(using: "new").asks(.peekReady) == .found(id, "foreign"))
    }

    @Test("what a dead broker had leased is found whatever lies before it")
    func theLeasesOfTheDead() {
        let other = world.database.register()
        let producer = world.connect(using: "t")
        let worker = world.connect(watching: "t")
        producer.sends(.put("first", priority: 9))
        #expect(worker.asks(.reserve) == .reserved(1, "first"))
        let id = world.database.putForeign(in: "t", priority: 1, lease: other, at: world.now)
        producer.sends(.put("second", priority: 9))
        #expect(worker.asks(.reserve) == .reserved(2, "second"))
        world.database.epochs.remove(other)
        world.act { $0.renew(validUntil: $1 + Broker.validity, peers: 1, hasLostPeer: true, isSole: false, now: $1) }
        producer.sends(.put("third", priority: 9))
        #expect(worker.asks(.reserve) == .reserved(id, "foreign"))
    }
}

/// Pauses and counts that hold for a tube at all brokers.
@Suite("tubes of several brokers")
struct SharedTubeTests {
    let world = World()

    init() {
        world.peers = 1
        world.beat()
    }

    private func learn(_ change: (inout TubeRow) -> Void, readAt: Instant? = nil) {
        var rows = world.database.tubeRows(at: world.now)
        for at in rows.indices { change(&rows[at]) }
        world.act { $0.learn(rows, readAt: readAt ?? $1, now: $1) }
    }

    @Test func whatOthersHoldCountsAsReserved() {
        let client = world.connect(using: "t")
        client.sends(.put("a"), .put("b"))
        learn { $0.heldElsewhere = StateCounts(urgent: 1, ready: 1) }
        let stats = client.asks(.statsTube("t"))?.tubeStats
        #expect(stats?.jobs == JobCounts(urgent: 1, ready: 1, reserved: 1, delayed: 0, buried: 0))
    }

    @Test func aloneAgainNobodyElseHoldsAnything() {
        let client = world.connect(using: "t")
        client.sends(.put("a"))
        learn { $0.heldElsewhere = StateCounts(urgent: 1, ready: 1) }
        world.peers = 0
        world.beat()
        #expect(client.asks(.statsTube("t"))?.tubeStats?.jobs.reserved == 0)
    }

    @Test func aPauseByAnotherHoldsHereAndItsEndToo() {
        world.connect(using: "t").sends(.put("a"))
        let worker = world.connect(watching: "t")
        learn {
            $0.pause = 60
            $0.pauseLeft = 60_000_000
        }
        worker.sends(.reserve)
        world.advance(.milliseconds(100))
        #expect(worker.hears() == [])
        learn { _ in }
        world.settle()
        #expect(worker.hears() == [.reserved(1, "a")])
    }

    @Test func aPauseOfThisBrokerIsNotEndedByAnOlderRow() {
        world.beats = false
        let client = world.connect(using: "t", watching: "t")
        client.sends(.put("a"))
        let before = world.now
        world.advance(.milliseconds(10))
        #expect(client.asks(.pauseTube("t", seconds: 2)) == .paused)
        learn(
            {
                $0.pause = 0
                $0.pauseLeft = 0
            }, readAt: before)
        client.sends(.reserve)
        #expect(client.hears() == [])
    }

    @Test func aTubeThatIsLeftHereStaysPausedForOthers() {
        let client = world.connect(using: "t")
        client.sends(.put("a"), .pauseTube("t", seconds: 60), .delete(1), .use("default"))
        #expect(world.queue.tubes.byName["t"] == nil)
        #expect(world.database.tube("t")?.pausedUntil != nil)
    }
}
