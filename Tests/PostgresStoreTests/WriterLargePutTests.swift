import TestKit
import Testing

@testable import PostgresStore
@testable import QueueCore

@Suite("The writer streams large bodies, and they are stored as they are")
struct WriterLargePutTests {
    let broker: TestBroker
    let db: Database

    init() throws {
        broker = try TestBroker(.largePuts)
        db = broker.db
    }

    @Test func readyDelayedAndLeasedJobsAreStored() throws {
        try broker.put(
            broker.put(1, priority: 7), broker.put(2, delay: 90), broker.put(3, leased: true),
            broker.put(4, priority: .max, delay: .max, leased: true))
        #expect(
            try db.rows(
                """
                select
                    id, tube_id, priority, state, ttr, delay, extract(epoch from due_at - created_at)::bigint,
                    lease_epoch, key, reserved_at, reserved_until, bury_order, reserves, timeouts, releases, buries, kicks
                from job order by id
                """) == """
                    (1,\(broker.tube),7,0,60,0,0,,,,,,0,0,0,0,0) (2,\(broker.tube),0,1,60,90,90,,,,,,0,0,0,0,0) \
                    (3,\(broker.tube),0,0,60,0,0,\(broker.epoch),,,,,0,0,0,0,0) \
                    (4,\(broker.tube),4294967295,1,60,4294967295,4294967295,\(broker.epoch),,,,,0,0,0,0,0)
                    """)
        #expect(try db.holds("(select bool_and(created_at between now() - interval '10 s' and now()) from job)"))
        #expect(try db.countsAgree())
    }

    @Test(arguments: [[], [0], Body(0...255)] as [Body])
    func bodiesAreStoredAsTheyAre(_ body: Body) throws {
        try broker.put(broker.put(1, body: body), broker.put(2, body: [7]))
        #expect(try broker.find(.peek(1)).first?.body == body)
        #expect(try broker.find(.peek(2)).first?.body == [7])
    }

    /// Not an argument of the test above: the test runner prints every byte of an argument.
    @Test func aLargeBodyIsStoredAsItIs() throws {
        try bodiesAreStoredAsTheyAre(Body(repeating: 0xC3, count: 3 << 20))
    }

    @Test func aTakenIDIsRefusedAndADeadEpochIsFenced() throws {
        try broker.put(broker.put(1))
        let parts = try broker.writeParts { $0.puts = [broker.put(1), broker.put(2)] }
        #expect(parts.map(\.outcome) == [.refused(.idTaken), .committed])
        #expect(try db.rows("select id from job order by id") == "(1) (2)")
        #expect(try db.countsAgree())
        try broker.die()
        #expect(try broker.write { $0.puts = [broker.put(3)] } == .fenced)
        #expect(try db.number("select count(*) from job") == 2)
    }

    @Test func aPutIntoATubeThatIsBeingRemovedIsRefused() throws {
        try db.run("update tube set remover = 7 where id = \(broker.tube)")
        #expect(try broker.write { $0.puts = [broker.put(1)] } == .refused(.tubeGone))
        try db.run("delete from tube where id = \(broker.tube)")
        #expect(try broker.write { $0.puts = [broker.put(2)] } == .refused(.tubeGone))
        #expect(try db.number("select count(*) from job") == 0)
        #expect(try db.countsAgree())
    }

    /// The connection breaks in the middle of a body. The batch was not committed, so it is repeated.
    @Test func aBatchOfALostConnectionIsRepeated() throws {
        try db.makeDoze(before: "insert on job")
        broker.send { $0.puts = [broker.put(1, body: Body(repeating: 1, count: 3 << 20))] }
        try db.waitUntilDozing(broker.writing)
        try db.terminate(broker.writing)
        #expect(try broker.client.outcome().map(\.outcome) == [.committed])
        #expect(try db.rows("select id, octet_length(body) from job") == "(1,\(3 << 20))")
        #expect(try db.countsAgree())
    }
}
