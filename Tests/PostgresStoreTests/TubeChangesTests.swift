import TestKit
import Testing

@testable import PostgresStore
@testable import QueueCore

@Suite("The keeper reads only the tubes that have changed")
struct TubeChangesTests {
    let db: Database
    let connection: PostgresStore.Connection

    init() throws {
        db = try Database()
        connection = try Session.open(db.configuration, Statement.keeper)
        try db.run("insert into tube (name) select 't' || n from generate_series(1, 500) as n")
        try db.run("insert into tube_count (tube_id, urgent, ready, delayed, buried) select id, 0, 1, 0, 0 from tube")
    }

    /// All parts of a reading.
    private struct Reading {
        var changes: TubeChanges
        var parts: [[TubeRow]] = []
        var tubes: [TubeRow] { parts.flatMap { $0 } }
    }

    private func changes(
        since known: Reading? = nil, _ recount: Recount = .changed(also: []), epoch: Int64 = 1
    ) throws -> Reading {
        var reading = Reading(
            changes: try TubeChanges(since: known?.changes, recount, epoch: epoch, at: FakeClient().now(), connection))
        while !reading.changes.isRead { reading.parts.append(try reading.changes.next(connection)) }
        return reading
    }

    private func names(_ changes: Reading) -> [String] { changes.tubes.map(\.name.description).sorted() }

    @Test func theFirstReadingHasAllTubesAndLaterOnesTheChanges() throws {
        let first = try changes()
        #expect(first.tubes.count == 500)
        #expect(try names(changes(since: first)) == [])
        try db.run("update tube_count set ready = 7 where tube_id = (select id from tube where name = 't3')")
        try db.run("update tube set pause = 9, paused_until = now() + interval '9 s' where name = 't4'")
        try db.run("insert into tube (name) values ('new')")
        let second = try changes(since: first)
        #expect(names(second) == ["new", "t3", "t4"])
        #expect(second.tubes.first { $0.name.description == "t3" }?.counts.ready == 7)
        #expect(second.tubes.first { $0.name.description == "t4" }?.pause == 9)
        #expect(try names(changes(since: second)) == [])
        #expect(try names(changes(since: second, .changed(also: [1]))) == ["t1"])
        #expect(try names(changes(since: first, .none)) == ["new", "t4"])
        #expect(try changes(since: second, .all).tubes.count == 501)
    }

    /// Numbers from a sequence would miss such a change.
    @Test func aChangeThatCommitsLateIsRead() throws {
        let late = try db.session()
        try late.run("begin; update tube_count set ready = 2 where tube_id = 5")
        try db.run("update tube_count set ready = 2 where tube_id = 6")
        let first = try changes()
        #expect(first.tubes.first { $0.id == 5 }?.counts.ready == 1)
        try late.run("commit")
        let second = try changes(since: first)
        #expect(second.tubes.map(\.id) == [5])
        #expect(second.tubes[0].counts.ready == 2)
        #expect(try names(changes(since: second)) == [])
    }

    @Test func aLongTransactionElsewhereCausesNoRepeatedReads() throws {
        let long = try db.session()
        try long.run("begin; insert into tube (name) values ('open')")
        try db.run("update tube_count set ready = 2")
        let first = try changes()
        #expect(try names(changes(since: first)) == [])
        try long.run("rollback")
    }

    @Test func changesThatAreNotFoldedYetAreCounted() throws {
        let first = try changes()
        try db.run("insert into sql_change (number, tube_id, ready) values (900, 8, 2)")
        try db.run(
            """
            insert into ledger (epoch, writer, batch, tube_ids, urgent, ready, delayed, buried)
            values (3, 0, 1, '{8,9}', '{0,1}', '{3,1}', '{0,0}', '{0,0}')
            """)
        let second = try changes(since: first)
        #expect(second.tubes.map(\.id) == [8, 9])
        #expect(second.tubes.map(\.counts.ready) == [6, 2])
    }

    @Test func theHeldCountsOfPeersAndTheirEndAreRead() throws {
        let other = try db.addBroker(heartbeat: "now() + interval '1 h'")
        let first = try changes(.all, epoch: other + 1)
        func next(_ known: Reading) throws -> Reading { try changes(since: known, epoch: other + 1) }
        var held = HeldCounts()
        let now = FakeClient().now()
        try held.publish([(2, StateCounts(ready: 1)), (3, StateCounts())], epoch: other, at: now, connection)
        // No zero is published for a tube without a row.
        #expect(try db.rows("select tube_id, ready from tube_held") == "(2,1)")
        let second = try next(first)
        #expect(second.tubes.map(\.heldElsewhere.ready) == [1])
        try held.publish([(2, StateCounts())], epoch: other, at: now, connection)
        let third = try next(second)
        #expect(third.tubes.map(\.heldElsewhere.ready) == [0])
        try held.publish([], epoch: other, at: now + .seconds(20), connection)
        #expect(try db.number("select count(*) from tube_held") == 1)
        try held.publish([], epoch: other, at: now + .seconds(40), connection)
        #expect(try db.number("select count(*) from tube_held") == 0)
    }

    /// The dump is of another server, where transaction IDs were higher.
    @Test func tubesOfARestoredDumpAreNotReadAgainAndAgain() throws {
        for table in ["tube", "tube_count", "tube_held"] {
            try db.run("alter table \(table) disable trigger stamp; update \(table) set changed = '1000000000000'")
            try db.run("alter table \(table) enable trigger stamp")
        }
        let first = try changes()
        #expect(first.tubes.count == 500)
        #expect(try names(changes(since: try changes(since: first))) == [])
    }

    /// Between the parts a heartbeat is sent, and clients are served.
    @Test func manyTubesAreReadInParts() throws {
        let first = try changes()
        try db.run("delete from tube where id % 3 = 0 and id < 400")
        try db.run("insert into tube (name) select 'u' || n from generate_series(1, 25000) as n")
        let all = try changes(since: first, .all)
        #expect(all.parts.map(\.count) == [10_000, 10_000, 5367])
        #expect(Set(all.tubes.map(\.id)).count == 25_367)
        let changed = try changes(since: first)
        #expect(changed.parts.map(\.count) == Array(repeating: 2000, count: 12) + [1000])
    }

    @Test func aReadingWalksEachLargeTableOnce() throws {
        try db.run("analyze tube")
        for sql in ["delete from tube", "delete from tube_count", "vacuum analyze tube", "vacuum analyze tube_count"] {
            try db.run(sql)
        }
        _ = try changes()
        try db.run("insert into tube (name) select 'u' || n from generate_series(1, 20000) as n")
        try db.run("insert into tube_count (tube_id, urgent, ready, delayed, buried) select id, 0, 1, 0, 0 from tube")
        try connection.run("begin; \(Statement.tubesInRange.settings!)")
        let all = try Plan(of: .tubesInRange, "1, 0, 1000000", in: connection)
        try connection.run("commit")
        #expect(!all.shape.contains { $0.hasPrefix("Nested Loop") && $0.contains("tube") }, "\(all.shape)")
        #expect(all.blocks < 3000, "\(all.blocks) blocks")
        let snapshot = try db.value("select pg_current_snapshot()")
        let some = try Plan(of: .changedTubes, "'\(snapshot)', 1, '{1}'", in: connection)
        #expect(some.blocks < 60, "\(some.blocks) blocks: \(some.shape)")
        let end = try Plan(of: .endOfRange, "500, 10000", in: connection)
        #expect(end.blocks < 150, "\(end.blocks) blocks: \(end.shape)")
        let empty = try Plan(of: .emptyTubes, "'0', 0, '\(snapshot)', 300", in: connection)
        #expect(empty.blocks < 60, "\(empty.blocks) blocks: \(empty.shape)")
    }
}
