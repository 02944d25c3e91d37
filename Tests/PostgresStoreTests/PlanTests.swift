import TestKit
import Testing

@testable import PostgresStore
@testable import QueueCore

@Suite("Every statement uses the index that is meant for it", .serialized)
struct PlanTests {
    /// The number of jobs that are put and deleted while a snapshot is held.
    static let churned = 50_000

    let db: Database

    init() throws {
        db = try Database()
        // An analyze in the middle of a test could change the plans.
        try db.run("alter table job set (autovacuum_enabled = off)")
        try db.run("insert into tube (name) values ('default'), ('other')")
        try db.run("insert into broker (epoch, host, pid, process_space) values (1, '', 1, '')")
        try db.run("insert into fence (epoch, writer) values (1, 0), (1, 1), (1, 2)")
    }

    /// A session that is set up like the query runner's, with the writer's statements too.
    private func session() throws -> PostgresStore.Connection {
        var statements = Statement.queryRunner
        statements += Statement.writer.filter { own in !statements.contains { $0.name == own.name } }
        return try session(statements)
    }

    private func session(_ statements: [Statement]) throws -> PostgresStore.Connection {
        try Session.open(db.configuration, statements)
    }

    /// Inserts jobs of two tubes, some in each state.
    private func fill(_ ids: ClosedRange<Int>) throws {
        try db.run(
            """
            insert into job
                (id, priority, ttr, delay, created_at, due_at, lease_epoch, bury_order, tube_id, state, body)
            select id, 5, 60, 0, now(), now(), case when id % 2 = 0 then 1 end, case when id % 10 = 9 then id end,
                1 + id % 7 / 6, case id % 10 when 8 then 1 when 9 then 2 else 0 end, 'body'
            from generate_series(\(ids.lowerBound), \(ids.upperBound)) as id
            """)
    }

    private func expectIndexes(_ call: PlannedCall, _ plan: Plan) {
        let indexes = Set(plan.scans.compactMap { scan in scan.split(separator: " ").first { $0.hasPrefix("job_") } })
        #expect(Set(indexes.map(String.init)) == call.indexes, "\(call.statement.name): \(plan.shape)")
        #expect(!plan.scans.contains { $0.hasPrefix("Seq Scan") || $0.hasPrefix("Bitmap") }, "\(call.statement.name)")
    }

    /// PostgreSQL may have analyzed the table while the queue was empty. A walk of the whole table then seems to cost
    /// nothing, and a session keeps that plan until the next analyze.
    @Test func noStatementWalksATableThatWasAnalyzedEmpty() throws {
        try fill(1...1000)
        try db.run("delete from job")
        try db.run("vacuum analyze job")
        let sessions = (reading: try session(Statement.queryRunner), writing: try session(Statement.writer))
        try sessions.writing.run(Statement.joinByHash)
        for call in PlannedCall.all(from: 100) + PlannedCall.byState {
            let isWritten = Statement.writer.contains { $0.name == call.statement.name }
            let plan = try Plan(
                of: call.statement, call.arguments, in: isWritten ? sessions.writing : sessions.reading)
            // The sweep walks from the job that is due first, and ends soon.
            #expect(Set(plan.walked).subtracting(["job_due"]) == [], "\(call.statement.name): \(plan.shape)")
        }
    }

    /// A session keeps the plan that it made while the table was empty, so that must be the plan for a full table.
    @Test func plansAreTheSameOnAnEmptyAndOnAFullTable() throws {
        let calls = PlannedCall.all(from: 100) + PlannedCall.byState
        let early = try session()
        let empty = try calls.map { try Plan(of: $0.statement, $0.arguments, in: early) }
        try fill(1...20_000)
        let kept = try calls.map { try Plan(of: $0.statement, $0.arguments, in: early) }
        try db.run("analyze job")
        let late = try session()
        for (call, (empty, kept)) in zip(calls, zip(empty, kept)) {
            expectIndexes(call, empty)
            #expect(kept.shape == empty.shape, "\(call.statement.name)")
            let filled = try Plan(of: call.statement, call.arguments, in: late)
            #expect(filled.shape == empty.shape, "\(call.statement.name)")
        }
    }

    @Test func deletedJobsCostNothingWhileASnapshotIsHeld() throws {
        let reader = try db.session()
        try reader.run("begin isolation level repeatable read; select count(*) from job")
        try churn()
        let first = PlanTests.churned + 1
        try fill(first...first + 999)
        let session = try session()
        // The first call of a function also reads the catalog.
        _ = try Plan(of: .putUnique, "1, 'first', 3000000, 0, 0, 1, 'x'", in: session)
        for call in PlannedCall.all(from: first) {
            let plan = try Plan(of: call.statement, call.arguments, in: session)
            expectIndexes(call, plan)
            // Fifty rows, each in its page of the table and of four indexes, a few levels deep; not all dead rows.
            let limit =
                call.arguments.contains("{")
                ? 1500
                : call.statement.name == "refill"
                    ? 1000
                    : call.statement.name == "refill_sole" ? 200 : 60
            #expect(plan.blocks <= limit, "\(call.statement.name): \(plan.blocks) blocks")
        }
        for call in PlannedCall.byState {
            expectIndexes(call, try Plan(of: call.statement, call.arguments, in: session))
        }

        // From a horizon behind the dead rows a refill reads few blocks. From the start it reads all dead rows.
        let near = try Plan(of: .refill, "1, 5, \(first), 1, 1000, 1", in: session)
        let far = try Plan(of: .refill, "1, 0, 0, 1, 1000, 1", in: session)
        #expect(near.blocks < 40, "\(near.blocks) blocks")
        #expect(far.blocks > 10 * near.blocks, "too few dead rows: \(far.blocks) blocks")
        try reader.run("commit")
    }

    @Test func aFoldDoesNotWalkWhatWasFoldedBefore() throws {
        let reader = try db.session()
        try reader.run("begin isolation level repeatable read; select count(*) from ledger")
        try db.run(
            """
            insert into ledger (epoch, writer, batch, tube_ids, urgent, ready, delayed, buried)
            select 1, 0, batch, '{1}', '{0}', '{1}', '{0}', '{0}' from generate_series(1, 20000) as batch
            """)
        let session = try Session.open(db.configuration, Statement.keeper)
        let before = try Plan(of: .fold, "1, 0::smallint, 0, 19990", in: session)
        try db.run("delete from ledger where batch < 19990")
        let plan = try Plan(of: .fold, "1, 0::smallint, 19990, 20000", in: session)
        #expect(plan.shape.contains("Index Scan ledger_pkey ledger"), "\(plan.shape)")
        #expect(plan.blocks < 60, "\(plan.blocks) blocks")
        #expect(before.blocks > 10 * plan.blocks)
        try reader.run("commit")
    }

    /// Puts and deletes, as the writer sends them.
    private func churn() throws {
        let session = try Session.open(db.configuration, Statement.writer)
        let size = 5000
        for batch in 0..<PlanTests.churned / size {
            var put = WriteBatch(epoch: 1)
            put.puts = (1...size).map {
                Put(
                    id: JobID(batch * size + $0), tube: 1,
                    job: NewJob(priority: 5, delay: 0, ttr: 60, body: Body("body".utf8)), isLeased: true, tubeSlot: 0,
                    ticket: .some, issued: Instant(nanoseconds: 0))
            }
            #expect(try session.execute(.put, put.putParameters).changed == size)
            var delete = WriteBatch(epoch: 1)
            delete.deletes = put.puts.map {
                Delete(
                    id: $0.id, tube: 1, from: .ready, fromPriority: 5, slot: 0, wasHeld: true, ticket: .some,
                    issued: Instant(nanoseconds: 0))
            }
            #expect(try session.execute(.delete, delete.deleteParameters).count == 0)
        }
    }
}
