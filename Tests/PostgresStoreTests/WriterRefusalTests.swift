import TestKit
import Testing

@testable import PostgresStore
@testable import QueueCore

@Suite("A refused write or query does not fail the others")
struct WriterRefusalTests {
    let broker: TestBroker
    let db: Database

    init() throws {
        broker = try TestBroker()
        db = broker.db
    }

    /// Makes the insert of a job with this id fail.
    private func refuse(_ id: JobID, sqlState: String, times: Int = 1_000_000) throws {
        try db.run(
            """
            create sequence attempts;
            create function refuse() returns trigger language plpgsql as $$
            begin
                if nextval('attempts') <= \(times) then
                    raise exception 'refused' using errcode = '\(sqlState)';
                end if;
                return new;
            end $$;
            create trigger refuse before insert on job for each row when (new.id = \(id)) execute function refuse()
            """)
    }

    @Test func aDeadEpochChangesNothing() throws {
        try broker.put(broker.put(1, leased: true), broker.put(2, leased: true))
        try broker.die()
        let before = try db.rows("select * from job order by id")
        let outcome = try broker.write {
            $0.puts = [broker.put(3)]
            $0.stateChanges = [broker.move(1, to: .buried)]
            $0.deletes = [broker.delete(2)]
        }
        #expect(outcome == .fenced)
        #expect(try db.rows("select * from job order by id") == before)
        #expect(try db.number("select count(*) from ledger") == 1)
    }

    @Test func oneBadPutDoesNotFailTheOthers() throws {
        try db.run("alter table job add constraint unlucky check (id <> 13)")
        try broker.put(broker.put(50, leased: true), broker.put(51, leased: true), broker.put(52, leased: true))
        let parts = try broker.writeParts {
            $0.puts = (1...20).map { broker.put($0 == 7 ? 50 : $0) }
            $0.stateChanges = [broker.move(51, to: .buried)]
            $0.deletes = [broker.delete(52)]
        }
        // One put is bad. Another has a taken id, and the queue is told so because it can choose another id.
        for (outcome, id) in [(WriteOutcome.refused(.failed), JobID(13)), (.refused(.idTaken), 50)] {
            #expect(parts.filter { $0.outcome == outcome }.map { $0.batch.puts.map(\.id) } == [[id]])
        }
        #expect(parts.filter { $0.outcome == .committed }.count == parts.count - 2)
        #expect(parts.reduce(0) { $0 + $1.batch.count } == 22)
        // The parts are in the order of the batch.
        #expect(parts.flatMap { $0.batch.puts.map(\.id) } == (1...20).map { $0 == 7 ? 50 : $0 })
        #expect(try db.number("select count(*) from job where id <= 20") == 18)
        #expect(try db.rows("select id, state from job where id > 20 order by id") == "(50,0) (51,2)")
        #expect(try db.countsAgree())
    }

    @Test func aFullDiskRefusesTheWholeBatchAtOnce() throws {
        try refuse(2, sqlState: "53100")
        let parts = try broker.writeParts { $0.puts = [broker.put(1), broker.put(2), broker.put(3)] }
        #expect(parts.map(\.outcome) == [.refused(.full)])
        #expect(try db.number("select count(*) from job") == 0)
        #expect(try db.countsAgree())
        try broker.put(broker.put(4))
    }

    @Test func aBatchIsRepeatedAfterADeadlock() throws {
        try refuse(1, sqlState: "40P01", times: 3)
        #expect(try broker.write { $0.puts = [broker.put(1), broker.put(2)] } == .committed)
        #expect(try db.rows("select id from job order by id") == "(1) (2)")
        #expect(try db.countsAgree())
    }

    @Test func oneRefusedQueryDoesNotFailTheOthers() throws {
        try broker.put(broker.put(1), broker.put(2), broker.put(3))
        try db.run(
            """
            create function keep() returns trigger language plpgsql as $$
            begin raise exception 'kept'; end $$;
            create trigger keep before delete on job for each row when (old.id = 2) execute function keep()
            """)
        let answers = try broker.ask([.delete(1), .delete(2), .peek(2), .delete(3)])
        #expect(answers.map { if case .refused(.failed) = $0 { true } else { false } } == [false, true, false, false])
        #expect(try db.rows("select id from job") == "(2)")
        #expect(try db.countsAgree())
    }

    @Test func aDeadEpochsQueriesAreFenced() throws {
        try broker.put(broker.put(1), broker.put(2))
        try broker.die()
        broker.send([.delete(1), broker.refilling()])
        #expect(try broker.client.fencedQueries().count == 2)
        #expect(try db.rows("select id, lease_epoch from job order by id") == "(1,) (2,)")
        // Queries that change nothing are not fenced.
        #expect(try broker.find(.peek(1)).count == 1)
    }
}
