import TestKit
import Testing

@testable import PostgresStore
@testable import QueueCore

private let t = TubeName(unchecked: "t")
private let u = TubeName(unchecked: "u")

@Suite("Brokers send each other notices of ready jobs")
struct NotifierTests {
    let db: Database
    let (here, there): (TestStore, TestStore)
    let tube: TubeID

    init() async throws {
        db = try Database()
        tube = try db.addTube("t")
        here = try await TestStore(db.configuration)
        there = try await TestStore(db.configuration("there"))
        try here.client.listening()
        try there.client.listening()
    }

    private func tell(_ id: JobID, of tube: TubeID? = nil) throws {
        try here.tell { $0.readied[tube ?? self.tube] = JobKey(priority: 7, id: id) }
    }

    @Test func aBrokerWhoseClientsWaitGetsANotice() throws {
        try there.tell { $0.waits[t] = true }
        try there.client.announcement(of: t)
        try tell(1)
        let notice = try there.client.notice()
        #expect(notice.tube == tube && notice.name == t)
        #expect(notice.key == JobKey(priority: 7, id: 1))
    }

    @Test func aTubeThatNobodyWaitsForCausesNoNotice() throws {
        let other = try db.addTube("other")
        try there.tell { $0.waits[t] = true }
        try there.client.announcement(of: t)
        try tell(1, of: other)
        try tell(2)
        #expect(try there.client.notice().key.id == 2)
    }

    @Test func aBrokerWhoseClientsNoLongerWaitGetsNoNotice() throws {
        let other = try db.addTube("u")
        try there.tell {
            $0.waits[t] = true
            $0.waits[u] = true
        }
        try there.client.announcement(of: u)
        try there.tell { $0.waits[t] = false }
        try eventually("the wait for t is withdrawn") { try db.number("select count(*) from tube_awaited") == 1 }
        try tell(1)
        try tell(2, of: other)
        #expect(try there.client.notice().key.id == 2)
    }

    /// PgBouncer tells a client another process ID than the one that its notifications have.
    @Test func aBrokerBehindAPoolerGetsNoNoticeFromItself() async throws {
        let pooler = try PgBouncer(.session, before: db.server)
        let here = try await TestStore(StoreConfiguration(database: pooler.connectionString, schema: db.schema))
        try here.client.listening()
        for store in [here, there] {
            try store.tell { $0.waits[t] = true }
            try store.client.announcement(of: t)
        }
        try here.tell { $0.readied[tube] = JobKey(priority: 7, id: 1) }
        #expect(try there.client.notice().key.id == 1)
        try there.tell { $0.readied[tube] = JobKey(priority: 7, id: 2) }
        #expect(try here.client.notice().key.id == 2)
    }

    /// Any login may notify. So a broker never reads the payload, but a table that only brokers may write.
    @Test func notificationsFromOthersAreIgnored() throws {
        try there.tell { $0.waits[t] = true }
        try there.client.announcement(of: t)
        for text in ["", "x", "\(tube) 0 0 u", "2000000000 0 0 t", "\(Int64.max) 1 1 t"] {
            try db.run("select pg_notify('\(db.schema)', '\(text)')")
        }
        try tell(1)
        let notice = try there.client.notice()
        #expect(notice.tube == tube && notice.name == t && notice.key.id == 1)
        #expect(!there.client.hasNotice)
    }

    @Test func aListenerLearnsNoNames() throws {
        let listener = try db.session()
        try listener.run("listen \(identifier(db.schema))")
        try there.tell { $0.waits[t] = true }
        try there.client.announcement(of: t)
        try tell(1)
        _ = try there.client.notice()
        try eventually("the listener gets the notification") {
            try listener.run("select")
            guard let payload = listener.nextPayload() else { return false }
            #expect(["", "waits"].contains(payload))
            return true
        }
    }

    @Test func aFloodOfNotificationsHidesNoNotice() throws {
        try there.tell { $0.waits[t] = true }
        try there.client.announcement(of: t)
        try db.run("select pg_notify('\(db.schema)', g::text) from generate_series(1, 20000) as g")
        try tell(1)
        #expect(try there.client.notice().key.id == 1)
        #expect(try db.number("select count(*) from notice") == 0)
    }

    @Test func noticesForADeadBrokerAreRemoved() throws {
        let dead = try db.addBroker(heartbeat: "clock_timestamp() + interval '1 h'")
        try db.run("insert into tube_awaited (tube, epoch) values ('t', \(dead))")
        try tell(1)
        try eventually("a notice is stored") { try db.number("select count(*) from notice") == 1 }
        try db.run("update broker set heartbeat_at = clock_timestamp() - interval '1 h' where epoch = \(dead)")
        try eventually("the notice is removed") { try db.number("select count(*) from notice") == 0 }
    }

    @Test func aLostConnectionIsReplaced() throws {
        // The session is found by its last statement, which at some moments is another one.
        try eventually("the session is found") {
            try db.number(
                """
                select count(pg_terminate_backend(pid)) from pg_stat_activity
                where application_name = '\(db.sessions) there' and query ~ 'listen|last_value|notice'
                """) > 0
        }
        try there.client.listening(2)
    }

    @Test func aBrokerThatLeavesWithdrawsItsWaits() throws {
        try there.tell { $0.waits[t] = true }
        try there.client.announcement(of: t)
        there.stop()
        #expect(try db.number("select count(*) from tube_awaited") == 0)
    }
}

@Suite("A keeper reads what peers hold and notices their loss")
struct PeerTests {
    @Test func theHeldCountsOfPeersAreRead() async throws {
        let db = try Database()
        let tube = try db.addTube("t")
        let (here, there) = (try await TestStore(db.configuration), try await TestStore(db.configuration))
        there.client.hold(StateCounts(urgent: 1, ready: 2), of: tube)
        let row = try here.client.tube(t) { $0.heldElsewhere.ready == 2 }
        #expect(row.heldElsewhere == StateCounts(urgent: 1, ready: 2))
        // A broker's own held counts are not among them.
        #expect(try there.client.tube(t) { _ in true }.heldElsewhere == StateCounts())
    }

    @Test func theLossOfAPeerIsReported() async throws {
        let db = try Database()
        let (here, there) = (try await TestStore(db.configuration), try await TestStore(db.configuration))
        _ = try here.client.renewal()
        try eventually("the peer is alive") { try here.client.renewal() == 1 }
        there.stop()
        try here.client.lostPeer()
    }
}
