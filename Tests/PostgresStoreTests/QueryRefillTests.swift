import TestKit
import Testing

@testable import PostgresStore
@testable import QueueCore

@Suite("A refill takes the first jobs that are free, in order")
struct QueryRefillTests {
    let broker: TestBroker
    let db: Database

    init() throws {
        broker = try TestBroker()
        db = broker.db
    }

    private var held: String {
        get throws { try db.rows("select id from job where lease_epoch = \(broker.epoch) order by id") }
    }

    @Test func theSmallestKeysComeFirst() throws {
        try broker.put(
            broker.put(1, priority: 9), broker.put(2, priority: 4_294_967_295), broker.put(3, priority: 9),
            broker.put(4, priority: 0))
        #expect(try broker.refill(limit: 3) == [4, 1, 3])
        #expect(try held == "(1) (3) (4)")
        #expect(try broker.refill() == [2])
        #expect(try broker.refill() == [])
    }

    @Test func aRefillBeginsAtTheHorizon() throws {
        try broker.put(broker.put(1, priority: 1), broker.put(2, priority: 5), broker.put(3, priority: 5))
        try broker.put(broker.put(4, priority: 6), broker.put(5, priority: 5))
        #expect(try broker.refill(from: JobKey(priority: 5, id: 3), limit: 2) == [3, 5])
        #expect(try broker.refill(from: JobKey(priority: 5, id: 6)) == [4])
        #expect(try broker.refill(from: .end) == [])
        #expect(try broker.refill() == [1, 2])
    }

    @Test func onlyReadyJobsOfTheTubeAreTaken() throws {
        let other = try db.addTube("other")
        var elsewhere = broker.put(1)
        elsewhere.tube = other
        try broker.put(elsewhere, broker.put(2, delay: 100), broker.put(3), broker.put(4))
        try db.run("update job set state = 2, bury_order = 1 where id = 3")
        #expect(try broker.refill() == [4])
    }

    @Test func aLockedRowIsSkipped() throws {
        try broker.put(broker.put(1), broker.put(2), broker.put(3))
        let other = try db.session()
        try other.run("begin; select from job where id = 2 for update")
        #expect(try broker.refill() == [1, 3])
        try other.run("commit")
        #expect(try broker.refill() == [2])
    }

    @Test func leasesOfLivingBrokersAreValidAndThoseOfDeadOnesAreNot() throws {
        let peer = try broker.peer()
        try broker.put(broker.put(1), broker.put(2, leased: true))
        try peer.put(peer.put(3, leased: true), peer.put(4))
        #expect(try broker.refill() == [1, 4])
        try peer.die()
        #expect(try broker.refill() == [3])
        #expect(try held == "(1) (2) (3) (4)")
    }

    @Test func jobsLeasedHereDoNotCome() throws {
        let peer = try broker.peer()
        try broker.put(broker.put(1, leased: true), broker.put(2))
        try peer.put(peer.put(3, leased: true))
        #expect(try broker.refill() == [2])
    }

    /// The sole broker only reads, and is told whose lease a row has.
    @Test func aRefillThatOnlyReadsTakesNoLease() throws {
        let peer = try broker.peer()
        try broker.put(broker.put(1, leased: true), broker.put(2))
        try peer.put(peer.put(3, leased: true))
        let rows = try broker.find(broker.refilling(.none))
        #expect(rows.map(\.id) == [1, 2, 3])
        #expect(rows.map(\.lease) == [broker.epoch, nil, peer.epoch])
        #expect(try broker.refill() == [2])
    }

    @Test func largeBodiesAreFetchedByThemselves() throws {
        try broker.put(broker.put(1, body: []), broker.put(2, body: [1, 2]), broker.put(3, body: [1, 2, 3]))
        let rows = try broker.find(broker.refilling(bodyLimit: 2))
        #expect(rows.map(\.body) == [[], [1, 2], nil])
        guard case .body(let body) = try broker.ask(.fetch(3, isSole: false)) else { throw WireMismatch("no body") }
        #expect(body == [1, 2, 3])
    }

    @Test func bodiesAreFetchedOnlyUnderTheLease() throws {
        let peer = try broker.peer()
        try broker.put(broker.put(1))
        try peer.put(peer.put(2, leased: true))
        for id: JobID in [1, 2, 3] {
            guard case .body(nil) = try broker.ask(.fetch(id, isSole: false)) else {
                throw WireMismatch("a body of \(id)")
            }
        }
    }

    /// The refill removes the reservation of the dead broker's client. Otherwise the new lease would make it valid
    /// again.
    @Test func aJobTakenFromADeadBrokerIsReadyInTheViews() throws {
        let dead = try broker.peer()
        try dead.put(dead.put(1, leased: true), dead.put(2, leased: true))
        _ = try dead.write {
            $0.annotations = [1, 2].map { Annotation(id: $0, reserved: (0, 60_000_000), counters: JobCounters()) }
        }
        #expect(try db.rows("select id, state from jobs order by id") == "(1,reserved) (2,reserved)")
        try dead.die()
        #expect(try db.rows("select id, state from jobs order by id") == "(1,ready) (2,ready)")
        let row = try #require(try broker.find(broker.refilling(limit: 1)).first)
        #expect(!row.isReserved)
        #expect(try db.rows("select id, state, reserved_at from jobs order by id") == "(1,ready,) (2,ready,)")
    }

    @Test func aPollFindsTheFirstFreeKeyOfEachTube() throws {
        let other = try db.addTube("other")
        let empty = try db.addTube("empty")
        let peer = try broker.peer()
        var elsewhere = broker.put(5, priority: 8)
        elsewhere.tube = other
        try peer.put(peer.put(1, priority: 1, leased: true))
        try broker.put(broker.put(2, priority: 3), broker.put(3, priority: 2), broker.put(4, delay: 9), elsewhere)
        guard case .keys(let keys) = try broker.ask(.poll([other, broker.tube, empty])) else {
            throw WireMismatch("no keys")
        }
        #expect(keys.map(\.tube) == [other, broker.tube])
        #expect(keys.map(\.key) == [JobKey(priority: 8, id: 5), JobKey(priority: 2, id: 3)])
        // A poll takes no lease.
        #expect(try held == "")
    }
}
