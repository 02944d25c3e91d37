import Foundation
import TestKit
import Testing

@testable import PostgresStore
@testable import QueueCore

/// Who lives is read from `broker` with the snapshot of the statement. A broker that has come since is not in it, and
/// its leases are not void for that (design, invariant 2: one holder).
@Suite("A statement under way does not take the leases of a broker that has just come")
struct NewcomerTests {
    let broker: TestBroker
    let db: Database

    init() throws {
        broker = try TestBroker()
        db = broker.db
        try broker.put(broker.put(1), broker.put(2))
        // The same table, but whoever looks at job 2 through it waits for the test.
        try db.run(
            """
            create schema \(slow);
            create function \(slow).look(id bigint) returns boolean language plpgsql volatile as $$
            begin
                if id = 2 then perform pg_advisory_xact_lock_shared(\(lock)); end if;
                return true;
            end $$;
            create view \(slow).job as select * from job where \(slow).look(id);
            select pg_advisory_lock(\(lock))
            """)
    }

    private var slow: String { "\(db.schema)_slow" }
    private var lock: String { "hashtext('\(slow)')" }

    /// Starts a query through the slow view, lets `meanwhile` happen in the middle of it, and returns its rows.
    private func ask(_ query: Query, meanwhile: () throws -> Void) throws -> Rows {
        let session = try Session.open(db.configuration("slow"), [])
        try session.run("set search_path to \(slow), \(db.schema)")
        let (statement, parameters) = query.statements(epoch: broker.epoch)[0]
        try session.prepare(statement)
        try session.enterPipeline()
        try session.send(statement, parameters)
        try session.sendSync()
        try db.waitUntilBlocked("slow")
        try meanwhile()
        try db.run("select pg_advisory_unlock(\(lock))")
        return try session.results(of: 1)[0]
    }

    @Test func refillLeavesThemAlone() throws {
        var newcomer: TestBroker?
        let rows = try ask(broker.refilling()) {
            newcomer = try broker.peer()
            #expect(try newcomer?.refill() == [2])
        }
        #expect(rows.jobs.map(\.id) == [1])
        #expect(try db.number("select lease_epoch from job where id = 2") == newcomer?.epoch)
    }

    @Test(arguments: [Query.reserve(2), .delete(2)])
    func nothingElseTakesThem(_ query: Query) throws {
        var newcomer: TestBroker?
        let rows = try ask(query) {
            newcomer = try broker.peer()
            #expect(try newcomer?.find(.reserve(2)).count == 1)
        }
        #expect(rows.count == 0)
        #expect(try db.number("select lease_epoch from job where id = 2") == newcomer?.epoch)
    }
}
