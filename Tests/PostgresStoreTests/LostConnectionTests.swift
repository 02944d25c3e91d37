import Foundation
import TestKit
import Testing

@testable import PostgresStore
@testable import QueueCore

/// Invariant 7: no guessed outcomes.
@Suite("An outcome that a lost connection leaves open is looked up", .serialized)
struct LostConnectionTests {
    @Test func aBatchThatIsCutBeforeItsCommitIsRepeated() throws {
        let broker = try TestBroker()
        try broker.put(broker.put(1))
        let blocker = try broker.db.session()
        try blocker.run("begin; lock table job")
        broker.send { $0.puts = [broker.put(2)] }
        try broker.db.waitUntilBlocked(broker.writing)
        try broker.db.terminate(broker.writing)
        try blocker.run("commit")
        #expect(try broker.client.outcome().map(\.outcome) == [.committed])
        try broker.client.reconnections(1)
        #expect(try broker.db.rows("select id from job order by id") == "(1) (2)")
        // The look-up has claimed number 2, so the batch that was cut off can never commit.
        #expect(try broker.db.rows("select batch, tube_ids <> '{}' from ledger order by batch") == "(1,t) (2,f) (3,t)")
        #expect(try broker.db.countsAgree())
    }

    @Test func aQueryThatIsCutBeforeItsCommitIsRepeated() throws {
        let broker = try TestBroker()
        try broker.put(broker.put(1))
        try broker.db.makeDoze(before: "delete on job")
        broker.send([.delete(1)])
        try broker.db.waitUntilDozing(broker.querying)
        try broker.db.terminate(broker.querying)
        guard case .rows(let rows) = try broker.client.answers(1)[0] else { throw WireMismatch("no rows") }
        #expect(rows.map(\.id) == [1])
        #expect(try broker.db.rows("select id from job") == "")
        #expect(try broker.db.countsAgree())
    }

    /// The commit has happened when its session is cut, so it is not repeated. Nor is it acknowledged before the
    /// standby has it: a failover would lose it.
    @Test func aCommitThatWaitsForTheStandbyIsNeitherRepeatedNorAcknowledgedEarly() throws {
        let server = try TestPostgres.private()
        defer { try? server.stop() }
        let broker = try TestBroker(on: server)
        let db = broker.db
        try broker.put(broker.put(1))
        try db.run("alter system set synchronous_standby_names = 'nobody'")
        try db.run("select pg_reload_conf()")

        // PostgreSQL obeys the setting after a moment.
        var id: JobID = 1
        var isUnderWay = false
        try eventually("the writer waits for the standby") {
            if isUnderWay, broker.client.hasOutcome { isUnderWay = try broker.client.outcome().isEmpty }
            if !isUnderWay {
                id += 1
                broker.send { $0.puts = [broker.put(id)] }
                isUnderWay = true
            }
            return try db.waitsForStandby(broker.writing)
        }
        broker.send([.delete(1)])
        try eventually("the query runner waits for the standby") { try db.waitsForStandby(broker.querying) }

        for task in [broker.writing, broker.querying] {
            try db.terminate(task)
            try eventually("its look-up waits for the standby too") { try db.waitsForStandby(task) }
        }
        #expect(!broker.client.hasOutcome && !broker.client.hasAnswer)
        try db.run("alter system reset synchronous_standby_names")
        try db.run("select pg_reload_conf()")
        #expect(try broker.client.outcome().map(\.outcome) == [.committed])
        guard case .rows(let rows) = try broker.client.answers(1)[0] else { throw WireMismatch("no rows") }
        #expect(rows.map(\.id) == [1])
        #expect(try db.number("select count(*) from job") == Int64(id) - 1)

        // No look-up has claimed a key, since both commits had happened.
        #expect(try db.rows("select writer, max(batch) from ledger group by 1 order by 1") == "(0,\(id)) (1,1)")
        #expect(try db.countsAgree())
    }

    /// The connection stays open, and the answer never comes.
    @Test func aSilentConnectionIsGivenUp() throws {
        let (proxy, route) = try TestPostgres.shared().proxy()
        defer { proxy.end() }
        let broker = try TestBroker(route: route)
        try broker.put(broker.put(1))
        #expect(try broker.find(.peek(1)).count == 1)
        proxy.faults = .silence
        broker.send { $0.puts = [broker.put(2)] }
        broker.send([.delete(1)])
        // New connections work. What the old ones have lost stays lost.
        proxy.faults = FaultProxy.Faults()
        #expect(try broker.client.outcome().map(\.outcome) == [.committed])
        _ = try broker.client.answers(1)
        #expect(try broker.db.rows("select id from job order by id") == "(2)")
        #expect(try broker.db.countsAgree())
    }

    /// The work may take any time.
    @Test func aServerThatIsAtWorkIsWaitedFor() throws {
        let broker = try TestBroker()
        try broker.put(broker.put(1))
        let blocker = try broker.db.session()
        try blocker.run("begin; lock table job")
        broker.send { $0.puts = [broker.put(2)] }
        try broker.db.waitUntilBlocked(broker.writing)
        // Longer than a silent server is waited for.
        try blocker.run("select pg_sleep(4); commit")
        #expect(try broker.client.outcome().map(\.outcome) == [.committed])
        #expect(!broker.client.hasReconnected)
    }

    /// The server does not learn that its client is gone. Its transaction would keep its locks for ever.
    @Test func theServersSessionOfABrokenConnectionIsEnded() throws {
        let (proxy, route) = try TestPostgres.shared().proxy()
        defer { proxy.end() }
        let broker = try TestBroker(route: route)
        try broker.put(broker.put(1))
        proxy.cutNext(Cut(.beforeSyncUnnoticed, statement: "put"))
        #expect(try broker.write { $0.puts = [broker.put(2)] } == .committed)
        proxy.cutNext(Cut(.beforeSyncUnnoticed, statement: "delete_unleased"))
        #expect(try broker.find(.delete(1)).map(\.id) == [1])
        #expect(proxy.cutsStruck == 2)
        #expect(try broker.db.rows("select id from job order by id") == "(2)")
        #expect(try broker.db.countsAgree())
    }

    /// Terminates the sessions of a task at random moments until it is told to end. Half of the pauses are below 20 ms.
    /// One in 100 is above a second, so that a slow machine makes progress.
    private func killer(of task: String, _ db: Database) throws -> Repeating {
        let session = try Connection(db.configuration("killer").database)
        let isSession = db.isSession(task)
        let box = Shared(session)
        return Repeating {
            try? box.value.run(
                """
                select pg_sleep(least(2, 0.01 / (1 - random())));
                select pg_terminate_backend(pid) from pg_stat_activity where \(isSession)
                """)
        }
    }

    @Test func everyPutIsStoredOnceHoweverOftenTheWriterIsCut() throws {
        let broker = try TestBroker()
        let killer = try killer(of: broker.writing, broker.db)
        var id: JobID = 0
        var lives: Set<JobID> = []
        // A look-up claims the key of a batch that was not committed. The test waits for at least one such batch.
        let (end, limit) = (Date(timeIntervalSinceNow: 2.5), Date(timeIntervalSinceNow: 20))
        let isClaimed = "exists (select from ledger where tube_ids = '{}')"
        while try Date() < end || (Date() < limit && !broker.db.holds(isClaimed)) {
            var batch = (puts: [Put](), deletes: [Delete]())
            batch.deletes = lives.filter { $0 % 3 == 0 }.map { broker.delete($0) }
            for _ in 0..<20 {
                id += 1
                batch.puts.append(broker.put(id, leased: true))
            }
            let parts = try broker.writeParts { ($0.puts, $0.deletes) = (batch.puts, batch.deletes) }
            #expect(parts.map(\.outcome) == [.committed])
            lives.formUnion(batch.puts.map(\.id))
            lives.subtract(batch.deletes.map(\.id))
        }
        killer.end()
        #expect(try broker.db.number("select count(*) from job") == Int64(lives.count))
        #expect(try broker.db.number("select count(*) from job where id % 3 = 0 and id <= \(id - 20)") == 0)
        #expect(try broker.db.holds(isClaimed))
        #expect(try broker.db.countsAgree())
    }

    @Test func everyJobIsDeletedOnceHoweverOftenTheQueryRunnerIsCut() throws {
        let broker = try TestBroker()
        let count: JobID = 6000
        #expect(try broker.write { $0.puts = (1...count).map { broker.put($0) } } == .committed)
        try broker.db.run("update job set state = 2, bury_order = id where id % 2 = 0")
        try broker.db.run("update ledger set urgent = '{\(count / 2)}', ready = urgent, buried = '{\(count / 2)}'")
        try broker.db.run("update ledger set ready = urgent")
        let killer = try killer(of: broker.querying, broker.db)
        var id: JobID = 1
        var kicked = 0
        let end = Date(timeIntervalSinceNow: 2.5)
        while Date() < end, id < count {
            var queries = [.delete(id), .kick(tube: broker.tube, bound: 1, state: .buried), Query.delete(id)]
            var deleted: [JobID] = []
            while !queries.isEmpty {
                let answers = try broker.ask(queries)
                for answer in answers {
                    if case .rows(let rows) = answer { deleted += rows.map(\.id) }
                    if case .readied(let readied) = answer { kicked += readied.reduce(0) { $0 + $1.count } }
                }
                // A session that was cut may keep its locks for a moment.
                queries = zip(queries, answers).filter { if case .refused(.busy) = $1 { true } else { false } }.map(\.0)
            }
            #expect(deleted == [id])
            id += 2
        }
        killer.end()
        let done = Int64(id / 2)
        #expect(try broker.db.number("select count(*) from job where id % 2 = 1") == Int64(count) / 2 - done)
        #expect(Int64(kicked) == done)
        #expect(try broker.db.number("select sum(kicks) from job") == done)
        #expect(try broker.db.countsAgree())
    }
}

extension Database {
    /// True if the session of a task has committed and waits for the standby to confirm.
    fileprivate func waitsForStandby(_ task: String) throws -> Bool {
        try waits(task, "wait_event = 'SyncRep'")
    }
}
