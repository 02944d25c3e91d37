import TestKit
import Testing

@testable import PostgresStore
@testable import QueueCore

@Suite("Tubes that nobody needs are removed, and no job with them")
struct TubeRemovalTests {
    let db: Database
    let client = FakeClient()
    let connection: PostgresStore.Connection
    let epoch: Int64
    /// An empty tube that is old enough to be removed.
    let tube: TubeID

    init() throws {
        db = try Database()
        epoch = try db.addBroker(heartbeat: "now() + interval '1 h'")
        connection = try Session.open(db.configuration, Statement.keeper)
        tube = try db.addTube("t")
        try db.run("insert into tube_count (tube_id, urgent, ready, delayed, buried) values (\(tube), 0, 0, 0, 0)")
    }

    /// Runs two passes. A tube that is empty in both is removed.
    private func passTwice(_ between: () throws -> Void = {}) throws {
        var removal = TubeRemoval()
        try removal.look(epoch: epoch, client, connection)
        try between()
        removal.next = Instant(nanoseconds: 0)
        try removal.look(epoch: epoch, client, connection)
    }

    private var isThere: Bool { get throws { try db.holds("exists (select from tube where id = \(tube))") } }

    private func stays(_ comment: Comment? = nil, _ prepare: () throws -> Void) throws {
        try prepare()
        try passTwice()
        #expect(try isThere, comment)
        #expect(try db.number("select count(*) from tube where remover is not null") == 0, "no tube stays marked")
    }

    @Test func anEmptyTubeIsRemovedAndPeersAreTold() throws {
        let other = try db.addBroker(heartbeat: "now() + interval '1 h'")
        try passTwice()
        #expect(try !isThere)
        #expect(try db.number("select count(*) from tube_count") == 0)
        try client.removal(of: tube)
        #expect(try db.rows("select epoch, tube_id, job_id from notice") == "(\(other),\(tube),)")
    }

    @Test func aTubeThatChangesBetweenThePassesStays() throws {
        try passTwice { try db.run("update tube_count set ready = 0") }
        #expect(try isThere)
    }

    @Test func aTubeThatThisBrokerNeedsStays() throws { try stays { client.need(tube) } }
    @Test func aPausedTubeStays() throws {
        try stays { try db.run("update tube set pause = 60, paused_until = now() + interval '1 min'") }
    }
    @Test func aTubeWithAPolicyStays() throws {
        try stays { try db.run("insert into tube_policy (tube_id, max_ready) values (\(tube), 5)") }
    }
    @Test func aTubeThatClientsOfAPeerWaitForStays() throws {
        try stays { try db.run("insert into tube_awaited (tube, epoch) values ('t', 99)") }
    }
    @Test(arguments: [0, 1, 2]) func aTubeWithAJobStaysWhateverTheCountsSay(state: Int) throws {
        try stays {
            try db.run(
                """
                insert into job (id, tube_id, priority, state, ttr, delay, created_at, due_at, body)
                values (1, \(tube), 0, \(state), 1, 0, now(), now(), '')
                """)
        }
    }
    @Test func aTubeWithChangesThatAreNotFoldedStays() throws {
        try stays { try db.run("insert into sql_change (number, tube_id) values (77, \(tube))") }
        try db.run("delete from sql_change")
        try stays {
            try db.run(
                """
                insert into ledger (epoch, writer, batch, tube_ids, urgent, ready, delayed, buried)
                values (\(epoch), 0, 1, '{\(tube)}', '{0}', '{0}', '{0}', '{0}')
                """)
        }
    }

    @Test func noTubeIsRemovedWhileSQLIsAtWork() throws {
        let session = try db.session()
        try session.run("begin; select put('other', 'x')")
        try stays {}
        try session.run("commit")
        try passTwice()
        #expect(try !isThere)
    }

    // MARK: Concurrent puts

    private func mark() throws { try db.run("update tube set remover = \(epoch) where id = \(tube)") }

    private func removeMarked() throws -> Int {
        var those = Parameters()
        those.add(epoch)
        those.add(int4s: [tube])
        return try connection.execute(.removeTubes, those).count
    }

    @Test("invariant 1: a put into a tube that is being removed is refused with the reason")
    func putMeanwhile() throws {
        let broker = try TestBroker(db, tube: tube)
        try mark()
        #expect(try broker.write { $0.puts = [broker.put(1), broker.put(2)] } == .refused(.tubeGone))
        let unique = UniquePut(
            id: 3, tube: tube, key: "k", job: NewJob(priority: 0, delay: 0, ttr: 1, body: []))
        guard case .refused(.tubeGone) = try broker.ask(.putUnique(unique)) else {
            throw WireMismatch("a put with a key was not refused")
        }
        #expect(try removeMarked() == 1)
        #expect(try broker.write { $0.puts = [broker.put(1)] } == .refused(.tubeGone))
        guard case .tube(let next, let isNew) = try broker.ask(.openTube(TubeName(unchecked: "t"))) else {
            throw WireMismatch("no tube")
        }
        #expect(isNew && next != tube)
    }

    @Test func openingATubeKeepsIt() throws {
        let broker = try TestBroker(db, tube: tube)
        try mark()
        guard case .tube(tube, isNew: false) = try broker.ask(.openTube(TubeName(unchecked: "t"))) else {
            throw WireMismatch("another tube")
        }
        #expect(try removeMarked() == 0)
        #expect(try broker.write { $0.puts = [broker.put(1)] } == .committed)
    }

    @Test func aPutBySQLKeepsTheTube() throws {
        try mark()
        try db.run("select put('t', 'x')")
        #expect(try removeMarked() == 0)
        #expect(try db.rows("select tube_id from job") == "(\(tube))")
    }

    /// The session's snapshot is older than the mark.
    @Test func anOldSnapshotDoesNotPutIntoARemovedTube() throws {
        let session = try db.session()
        try session.run("begin isolation level repeatable read; select count(*) from tube")
        try mark()
        #expect(try removeMarked() == 1)
        #expect(throws: StoreError.self) { try session.run("select put('t', 'x')") }
        try session.run("rollback")
        #expect(try db.number("select count(*) from job") == 0)
    }

    /// The batch began before the mark and has not committed.
    @Test func aBatchInFlightKeepsTheTube() throws {
        let batch = try db.session()
        try batch.run(
            """
            begin;
            select from fence where epoch = \(epoch) and writer = 0 for key share;
            insert into job (id, tube_id, priority, state, ttr, delay, created_at, due_at, body)
            values (1, \(tube), 0, 0, 1, 0, now(), now(), '');
            """)
        try stays {}
        try batch.run("commit")
    }
}
