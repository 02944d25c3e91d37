import Foundation
import TestKit
import Testing

@testable import PostgresStore
@testable import QueueCore

/// A statement reads the living brokers with its snapshot. A broker that has registered since is not in the snapshot,
/// but its leases are valid (docs/ARCHITECTURE.md, Invariants).
@Suite("A running statement does not take the leases of a broker that has just registered")
struct NewBrokerTests {
    let broker: TestBroker
    let db: Database

    init() throws {
        broker = try TestBroker()
        db = broker.db
        try broker.put(broker.put(1), broker.put(2))
        // A view of the table. A statement that reads job 2 through the view waits for the test.
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

    /// Starts a query through the slow view, calls `meanwhile` in the middle of it, and returns its rows.
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

    @Test func aRefillDoesNotTakeThem() throws {
        var newBroker: TestBroker?
        let rows = try ask(broker.refilling()) {
            newBroker = try broker.peer()
            #expect(try newBroker?.refill() == [2])
        }
        #expect(rows.jobs.map(\.id) == [1])
        #expect(try db.number("select lease_epoch from job where id = 2") == newBroker?.epoch)
    }

    @Test(arguments: [Query.reserve(2), .delete(2)])
    func aReserveOrDeleteDoesNotTakeThem(_ query: Query) throws {
        var newBroker: TestBroker?
        let rows = try ask(query) {
            newBroker = try broker.peer()
            #expect(try newBroker?.find(.reserve(2)).count == 1)
        }
        #expect(rows.count == 0)
        #expect(try db.number("select lease_epoch from job where id = 2") == newBroker?.epoch)
    }
}
