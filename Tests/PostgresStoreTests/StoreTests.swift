import TestKit
import Testing

@testable import PostgresStore
@testable import QueueCore

@Suite("A store starts, works and leaves nothing behind")
struct StoreTests {
    let db: Database

    init() throws {
        db = try Database()
    }

    @Test func theStartMigratesTheSchema() async throws {
        let empty = try Database(isMigrated: false)
        let store = try await TestStore(empty.configuration)
        #expect(try empty.rows("select epoch, alive from brokers") == "(\(store.epoch),t)")
    }

    @Test func withoutMigrationsAMissingSchemaFailsTheStart() async throws {
        let empty = try Database(isMigrated: false)
        var configuration = empty.configuration
        configuration.migrates = false
        await #expect { _ = try await TestStore(configuration) } throws: { error in
            if case .schemaTooOld? = error as? StoreError { true } else { false }
        }
    }

    /// PostgreSQL hides from such a session when it began. Brokers tell sessions apart by that time.
    @Test func aSessionWhoseRoleWasSetFailsTheStart() async throws {
        let db = try Database()
        let role = "\(db.sessions)_broker"
        try RoleMaker(db.connection, schema: db.schema).makeBroker(role)
        var configuration = db.configuration
        configuration.database += " options='-c role=\(role)'"
        await #expect { _ = try await TestStore(configuration) } throws: { error in
            if case .sessionIsHidden? = error as? StoreError { true } else { false }
        }
    }

    @Test func anUnreachableDatabaseFailsTheStartInTime() async throws {
        var configuration = StoreConfiguration(database: "host=/nonexistent")
        configuration.startTimeout = 0.1
        await #expect { _ = try await TestStore(configuration) } throws: { error in
            if case .unreachable? = error as? StoreError { true } else { false }
        }
    }

    /// The store still waits for the sole broker to give that up.
    @Test func aStoreThatIsStoppedBeforeItServesLeavesNothing() async throws {
        let sole = try LivingBroker(db, isSole: true)
        let client = FakeClient()
        let store = Store(configuration: db.configuration, client: client, logger: .quiet)
        let start = Task { try await store.start() }
        while try db.number("select count(*) from broker") < 2 { try await Task.sleep(for: .milliseconds(10)) }
        store.stop(within: patience)
        #expect(try db.rows("select epoch from broker") == "(\(sole.epoch))")
        start.cancel()
        _ = await start.result
    }

    @Test func epochsAreNeverUsedTwice() async throws {
        var epochs: [Int64] = []
        for _ in 1...3 {
            let store = try await TestStore(db.configuration)
            epochs.append(try store.epoch)
            store.stop()
            #expect(try db.rows("select epoch from broker") == "")
        }
        #expect(epochs == epochs.sorted() && Set(epochs).count == 3)
    }

    @Test func idsThatTheSequenceRepeatsAreNotUsedAgain() async throws {
        let store = try await TestStore(db.configuration)
        let before = try store.fetchIDs(100, total: 100)
        try db.run("select setval('job_id', 7)")
        let after = try store.fetchIDs(10, total: 110)
        #expect(before == [1...100])
        #expect(after.last == 101...110 || after == [1...110])
    }

    @Test func aBatchThatIsMissingAfterAReconnectEndsTheEpoch() async throws {
        let store = try await TestStore(db.configuration("store"))
        let tube = try db.addTube()
        let first = try store.epoch
        try store.put(1...1, tube: tube)
        try db.run("begin; lock table ledger; delete from ledger")
        try db.terminate("store")
        try db.run("commit")
        #expect(try store.client.attachments(2)[1].epoch != first)
        try store.put(2...2, tube: tube)
        #expect(try db.rows("select id from job order by id") == "(1) (2)")
    }

    @Test func aSessionIsFoundOnItsOwnServerOnly() throws {
        let keeper = try db.session()
        let backend = try keeper.backend
        let name = try ServerSession(of: keeper)
        #expect(try name.isOnServer(of: db.connection))
        let other = try TestPostgres.private()
        defer { try? other.stop() }
        #expect(try !name.isOnServer(of: Connection(other.connectionString)))
        try db.run("select pg_terminate_backend(\(backend), 5000)")
        #expect(try !name.isOnServer(of: db.connection))
    }

    @Test func theStartReadsTubesAndTheirCounts() async throws {
        let tube = try db.addTube()
        _ = try db.addTube("empty")
        let first = try await TestStore(db.configuration)
        try first.put(1...5, tube: tube)
        try first.put(6...7, tube: tube, priority: 5000)
        _ = try first.ask([.pause(.default, seconds: 100)])
        first.stop()
        let second = try await TestStore(db.configuration)
        let tubes = try second.client.attachments()[0].tubes
        #expect(tubes.map(\.name.description) == ["default", "empty"])
        #expect(tubes.map(\.counts) == [StateCounts(urgent: 5, ready: 7), StateCounts()])
        #expect(tubes[0].pause == 100 && (50_000_000...100_000_000).contains(tubes[0].pauseLeft))
        #expect(tubes[1].pause == 0 && tubes[1].pauseLeft == 0)
    }

    @Test func countsAgreeWhileTheyAreFolded() async throws {
        let tube = try db.addTube()
        let store = try await TestStore(db.configuration)
        for round: JobID in 0..<200 {
            try store.put(round * 3 + 1...round * 3 + 3, tube: tube)
            _ = try store.ask([.delete(round * 3 + 2)])
            if round % 20 == 0 { #expect(try db.countsAgree()) }
        }
        // The last batch of each writer stays: its outcome may be looked up.
        try eventually("the ledger is folded") {
            try db.rows("select writer, batch, tube_ids from ledger order by 1") == "(0,200,{}) (1,200,{})"
        }
        #expect(try db.countsAgree())
        #expect(try db.rows("select urgent, ready from tube_count") == "(400,400)")
        store.stop()
        #expect(try db.number("select count(*) from ledger") == 0)
        #expect(try db.rows("select urgent, ready, delayed, buried from tube_count") == "(400,400,0,0)")
        #expect(try db.countsAgree())
    }

    @Test func aStopKeepsTheJobsAndRemovesTheRegistration() async throws {
        let tube = try db.addTube()
        let store = try await TestStore(db.configuration)
        try store.put(1...1, tube: tube)
        store.stop()
        #expect(try db.rows("select id from job") == "(1)")
        #expect(try db.rows("select epoch from broker") == "")
        #expect(try db.number("select count(*) from tube_held") == 0)
    }

    @Test func idsAreDistinctAndContiguous() async throws {
        let store = try await TestStore(db.configuration)
        #expect(try store.fetchIDs(500, total: 500) == [1...500])
        let other = try await TestStore(db.configuration)
        #expect(try other.fetchIDs(100, total: 100) == [501...600])
        #expect(try store.fetchIDs(200, total: 700) == [1...500, 601...800])
    }

    @Test func idsOfTwoStoresAtOnceAreDistinct() async throws {
        let stores = [try await TestStore(db.configuration), try await TestStore(db.configuration)]
        let boxes = stores.map { Shared($0) }
        try onThreads(2) { number in
            for round in 1...20 { _ = try? boxes[number].value.fetchIDs(500, total: round * 500) }
        }
        let ids = try stores.flatMap { try $0.client.fetchedIDs(10_000).flatMap { Array($0) } }
        #expect(ids.count == 20_000)
        #expect(Set(ids).count == ids.count)
    }
}
