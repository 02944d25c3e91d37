import TestKit
import Testing

@testable import PostgresStore
@testable import QueueCore

@Suite("The writer stores jobs as they are")
struct WriterPutTests {
    let broker: TestBroker
    let db: Database

    init() throws {
        broker = try TestBroker()
        db = broker.db
    }

    @Test func readyDelayedAndLeasedJobsAreStored() throws {
        try broker.put(
            broker.put(1, priority: 7), broker.put(2, delay: 90), broker.put(3, leased: true),
            broker.put(4, delay: 90, leased: true))
        #expect(
            try db.rows(
                """
                select
                    id, tube_id, priority, state, ttr, delay, extract(epoch from due_at - created_at)::integer,
                    lease_epoch, reserved_at, reserved_until, bury_order, reserves, timeouts, releases, buries, kicks
                from job order by id
                """) == """
                    (1,\(broker.tube),7,0,60,0,0,,,,,0,0,0,0,0) (2,\(broker.tube),0,1,60,90,90,,,,,0,0,0,0,0) \
                    (3,\(broker.tube),0,0,60,0,0,\(broker.epoch),,,,0,0,0,0,0) \
                    (4,\(broker.tube),0,1,60,90,90,\(broker.epoch),,,,0,0,0,0,0)
                    """)
        #expect(try db.holds("(select bool_and(created_at between now() - interval '10 s' and now()) from job)"))
    }

    @Test func theLargestValuesAreStored() throws {
        var put = broker.put(JobID(Int64.max), priority: .max, delay: .max)
        put.job.ttr = .max
        try broker.put(put)
        #expect(
            try db.rows("select id, priority, ttr, delay, extract(epoch from due_at - created_at)::bigint from job")
                == "(9223372036854775807,4294967295,4294967295,4294967295,4294967295)")
        let row = try #require(try broker.find(.peek(JobID(Int64.max))).first)
        #expect(row.priority == .max && row.ttr == .max && row.delay == .max && row.state == .delayed)
        #expect(row.left > 4_294_000_000_000_000)
    }

    @Test(
        arguments: [
            [], [0], [0, 1, 0, 255, 0], Body("'; drop table job; --\r\n\\x00 $1".utf8), Body(0...255),
        ] as [Body])
    func bodiesAreStoredAsTheyAre(_ body: Body) throws {
        try broker.put(broker.put(1, body: body))
        #expect(try db.number("select octet_length(body) from job") == Int64(body.count))
        #expect(try broker.find(.peek(1)).first?.body == body)
    }

    /// Not an argument of the test above: the test runner prints every byte of an argument.
    @Test func aLargeBodyIsStoredAsItIs() throws {
        try bodiesAreStoredAsTheyAre(Body(repeating: 0xC3, count: 1 << 20))
    }

    @Test func aThousandPutsAtOnceKeepTheirOwnValues() throws {
        let puts = (1...1000).map { (number: Int) -> Put in
            broker.put(
                JobID(number), priority: UInt32(number) * 3, delay: UInt32(number % 2), leased: number % 3 == 0,
                body: Body("body \(number)".utf8))
        }
        #expect(try broker.write { $0.puts = puts } == .committed)
        #expect(
            try db.number(
                """
                select count(*) from job
                where priority = id * 3 and delay = id % 2 and state = id % 2
                    and body = convert_to('body ' || id, 'UTF8')
                    and (lease_epoch is not null) = (id % 3 = 0)
                """) == 1000)
    }

    @Test func theLedgerHasTheCountsOfTheBatch() throws {
        let other = try db.addTube("other")
        var elsewhere = broker.put(4, delay: 1)
        elsewhere.tube = other
        try broker.put(broker.put(1, priority: 1023), broker.put(2, priority: 1024), broker.put(3, delay: 5), elsewhere)
        #expect(
            try db.rows("select epoch, writer, batch, tube_ids, urgent, ready, delayed, buried from ledger")
                == "(\(broker.epoch),0,1,\"{\(broker.tube),\(other)}\",\"{1,0}\",\"{2,0}\",\"{1,1}\",\"{0,0}\")")
        #expect(try db.countsAgree())
    }
}
