import Logging
import TestKit
import Testing

@testable import PostgresStore
@testable import QueueCore

@Suite("Samples of several brokers add up")
struct SamplerTests {
    let db: Database

    init() throws { db = try Database() }

    /// A broker that samples.
    private final class SamplingBroker {
        let client = FakeClient()
        let oldest = OldestReady()
        let lines = LineLog()
        private let connection: PostgresStore.Connection
        private var sampler: Sampler

        init(_ db: Database) throws {
            let lines = lines
            connection = try Session.open(db.configuration, Statement.keeper)
            sampler = Sampler(client, oldest, Logger(label: "test") { _ in lines })
        }

        /// Samples once, all of it.
        func samples(hasDuty: Bool = true, isAlone: Bool = true) throws {
            client.skip(.seconds(11))
            repeat {
                try sampler.look(connection, hasDuty: hasDuty, isAlone: isAlone)
            } while sampler.next <= client.now()
        }
    }

    /// The sums over all steps.
    private func sums() throws -> String {
        try db.rows(
            """
            select tube, sum(puts) as puts, sum(reserves), sum(deletes), sum(body_bytes) from tube_sample
            group by tube order by tube
            """)
    }

    private func levels() throws -> String {
        try db.rows("select tube, urgent, ready, reserved, delayed, buried from tube_level order by tube")
    }

    private func level(_ tube: String, row: TubeID = 1, ready: Int = 0, reserved: Int = 0) -> TubeLevel {
        TubeLevel(row: row, name: TubeName(unchecked: tube), jobs: JobCounts(ready: ready, reserved: reserved))
    }

    /// Puts what was written into the past: a second sample may come in the same 10 s.
    private func passStep() throws {
        try db.run("update tube_sample set at = at - interval '10 s'")
    }

    @Test func whatTwoBrokersHaveDone() throws {
        let (one, two) = (try SamplingBroker(db), try SamplingBroker(db))
        one.client.did(in: "mail") {
            $0.puts = 3
            $0.bodyBytes = 30
            $0.waited.add(.seconds(1))
        }
        two.client.did(in: "mail") {
            $0.puts = 2
            $0.waited.add(.milliseconds(1))
            $0.waited.add(.seconds(20))
        }
        two.client.did(in: "other") { $0.deletes = 7 }
        try one.samples()
        try two.samples(hasDuty: false, isAlone: false)
        #expect(try sums() == "(\"\",5,0,7,30) (mail,5,0,0,30) (other,0,0,7,0)")
        let counts = try db.rows("select sum(n) from tube_sample, unnest(waited) as n where tube = 'mail'")
        #expect(counts == "(3)")
    }

    @Test func inOneRowIfItIsTheSameStep() throws {
        let broker = try SamplingBroker(db)
        let row = """
            insert into tube_sample (at, tube, puts, waited, worked)
            select at, 'mail', 1, '{1,2,3}', null from (
                select date_bin('10 s', clock_timestamp() - interval '5 s', 'epoch') + n * interval '10 s' as at
                from generate_series(0, 2) as n) as steps
            """
        try db.run(row)
        broker.client.did(in: "mail") {
            $0.puts = 5
            $0.waited.counts = [1, 0, 0, 9]
            $0.worked.counts = [4]
        }
        try broker.samples()
        #expect(
            try db.rows("select puts, waited, worked from tube_sample where tube = 'mail' and puts > 1")
                == "(6,\"{2,2,3,9}\",{4})")
    }

    @Test func whatIsToldOnceIsWrittenOnce() throws {
        let broker = try SamplingBroker(db)
        broker.client.did(in: "mail") { $0.puts = 1 }
        try broker.samples()
        try passStep()
        try broker.samples()
        broker.client.did(in: "mail") { $0.puts = 1 }
        try passStep()
        try broker.samples()
        #expect(try sums() == "(\"\",2,0,0,0) (mail,2,0,0,0)")
    }

    @Test func whatIsRefusedIsWrittenLater() throws {
        let broker = try SamplingBroker(db)
        broker.client.did(in: "mail") { $0.puts = 1 }
        try db.run("alter table tube_sample add constraint refused check (puts < 0)")
        try broker.samples()
        try broker.samples()
        #expect(broker.lines.take() == ["error cannot write samples"])
        #expect(try sums() == "")
        try db.run("alter table tube_sample drop constraint refused")
        broker.client.did(in: "mail") { $0.puts = 2 }
        try broker.samples()
        #expect(try sums() == "(\"\",3,0,0,0) (mail,3,0,0,0)")
        #expect(broker.lines.take() == ["notice can write samples again"])
    }

    @Test func moreTubesThanOneStatementHas() throws {
        let broker = try SamplingBroker(db)
        for number in 0..<2500 { broker.client.did(in: "t\(number)") { $0.puts = 1 } }
        try broker.samples()
        #expect(try db.number("select sum(puts) from tube_sample where tube <> ''") == 2500)
        #expect(try db.number("select sum(puts) from tube_sample where tube = ''") == 2500)
    }

    // MARK: Numbers of jobs

    @Test func oneBrokerTellsThemForAll() throws {
        let (one, two) = (try SamplingBroker(db), try SamplingBroker(db))
        one.client.say([level("mail", ready: 3, reserved: 1)])
        two.client.say([level("mail", ready: 99)])
        try one.samples(isAlone: false)
        try two.samples(hasDuty: false, isAlone: false)
        #expect(try levels() == "(\"\",0,3,1,0,0) (mail,0,3,1,0,0)")
    }

    @Test func onlyWhenTheyChange() throws {
        let broker = try SamplingBroker(db)
        broker.client.say([level("mail", ready: 3), level("still", row: 2, ready: 1)])
        try broker.samples()
        try passStep()
        broker.client.say([level("mail", ready: 4), level("still", row: 2, ready: 1)])
        try broker.samples()
        #expect(
            try db.rows("select tube, count(ready), max(ready) from tube_sample group by tube order by tube")
                == "(\"\",2,5) (mail,2,4) (still,1,1)")
    }

    @Test func anEmptyTubeIsToldOnce() throws {
        let broker = try SamplingBroker(db)
        broker.client.say([level("mail", ready: 3)])
        try broker.samples()
        broker.client.say([])
        for _ in 1...3 {
            try passStep()
            try broker.samples()
        }
        #expect(try db.rows("select ready from tube_sample where tube = 'mail' order by at") == "(3) (0)")
        #expect(try levels() == "(\"\",0,0,0,0,0)")
    }

    @Test func theNextBrokerGoesOnFromThere() throws {
        let one = try SamplingBroker(db)
        one.client.say([level("mail", ready: 3), level("same", row: 2, ready: 1)])
        try one.samples()
        try passStep()
        // While no broker ran, a session has cleared the tube.
        let two = try SamplingBroker(db)
        two.client.say([level("same", row: 2, ready: 1)])
        try two.samples()
        #expect(try db.rows("select ready from tube_sample where tube = 'mail' order by at") == "(3) (0)")
        #expect(try db.number("select count(*) from tube_sample where tube = 'same'") == 1)
    }

    // MARK: The oldest job

    private func put(_ id: Int, age: Int, priority: Int = 0, isHeld: Bool = false, tube: TubeID = 1) throws {
        try db.run(
            """
            insert into job (id, priority, ttr, delay, created_at, due_at, tube_id, state, body, reserved_at)
            values (\(id), \(priority), 60, 0, now(), now() - \(age) * interval '1 s', \(tube), 0, '',
                \(isHeld ? "now()" : "null"))
            """)
    }

    private func age(_ broker: SamplingBroker, _ tube: String? = nil) -> Int? {
        let ages = broker.oldest.ages(at: broker.client.now())
        return (tube.map { ages.seconds(of: TubeName(unchecked: $0)) } ?? ages.seconds).map { Int($0) }
    }

    @Test func theOldestOfSeveralPriorities() throws {
        try put(1, age: 50, priority: 1)
        try put(2, age: 5000, priority: 9)
        try put(3, age: 70, priority: 1)
        try put(4, age: 99_999, priority: 0, isHeld: true)
        let broker = try SamplingBroker(db)
        broker.client.say([level("mail", ready: 3, reserved: 1)])
        try broker.samples()
        #expect((5000...5100).contains(age(broker, "mail") ?? 0))
        #expect((5000...5100).contains(age(broker) ?? 0))
        #expect(age(broker, "other") == nil)
        let other = try SamplingBroker(db)
        try other.samples(hasDuty: false, isAlone: false)
        #expect((5000...5100).contains(age(other, "mail") ?? 0), "the others read it")
    }

    @Test func aPausedTubeIsNotTheOldest() throws {
        try put(1, age: 5000)
        try put(2, age: 10, tube: 2)
        let broker = try SamplingBroker(db)
        var paused = level("paused", ready: 1)
        paused.isPaused = true
        broker.client.say([paused, level("mail", row: 2, ready: 1)])
        try broker.samples()
        #expect((5000...5100).contains(age(broker, "paused") ?? 0))
        #expect((10...110).contains(age(broker) ?? 0))
    }

    @Test func itGoesWithTheJob() throws {
        try put(1, age: 5000)
        try put(2, age: 10)
        let broker = try SamplingBroker(db)
        broker.client.say([level("mail", ready: 2)])
        try broker.samples()
        try db.run("delete from job where id = 1")
        broker.client.say([level("mail", ready: 1)])
        try broker.samples()
        #expect((10...110).contains(age(broker, "mail") ?? 0))
        // Another broker takes the last one, and a new job comes: the number is the same.
        try db.run("delete from job")
        try put(3, age: 200)
        try broker.samples(isAlone: false)
        #expect((200...300).contains(age(broker, "mail") ?? 0))
        broker.client.say([])
        try broker.samples()
        #expect(age(broker, "mail") == nil)
        #expect(age(broker) == nil)
    }
}
