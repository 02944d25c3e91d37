import Foundation
import TestKit
import Testing

/// The database's clock is set while brokers work: by hand, by a time server that steps, or by a machine that was away.
@Suite("The database's clock is set") struct ClockTests {
    let clock: FakeClock
    let server: PostgresServer
    let database: SQLDatabase

    init() throws {
        clock = try FakeClock()
        server = try PostgresServer.started(clock: clock)
        database = try SQLDatabase(at: server.connectionString)
    }

    private func epochs() throws -> String {
        try database.run("select string_agg(epoch::text, ' ' order by epoch) from beanrow.broker")
    }

    /// Waits until every broker has sent this many heartbeats.
    private func beats(_ count: Int) throws {
        let first = try database.run("select min(beats) from beanrow.broker")
        try eventually("hearts beat") {
            try database.run("select min(beats) >= \(first) + \(count) from beanrow.broker") == "t"
        }
    }

    /// Two brokers that send heartbeats, a client of each in the same tube, and the job that the client of `b` has.
    private func twoBrokers() throws -> (
        a: BrokerProcess, b: BrokerProcess, holder: WireClient, worker: WireClient, job: UInt64
    ) {
        let a = try database.startBroker()
        let b = try BrokerProcess(a.configuration)
        let (holder, worker) = (try b.connect(), try a.connect())
        for client in [holder, worker] { try client.enter("t") }
        let id = try holder.put("x")
        #expect(try holder.reserve().id == id)
        try beats(1)
        return (a, b, holder, worker, id)
    }

    @Test("invariant 2: two brokers keep their jobs", arguments: [3, 3600, -3, -3600])
    func nobodyIsDeclaredDeadForIt(seconds: Int) throws {
        let pair = try twoBrokers()
        let (holder, worker) = (pair.holder, pair.worker)
        let before = try epochs()
        try clock.set(seconds: seconds)
        try beats(3)
        #expect(try epochs() == before)
        try worker.send("reserve-with-timeout 0\r\n")
        try worker.expect("TIMED_OUT")
        try eventually("the log tells") {
            pair.a.stderr.contains("the database's clock was set \(seconds > 0 ? "forward" : "back") by")
        }
        try holder.send("delete \(pair.job)\r\n")
        try holder.expect("DELETED")
        let next = try holder.put("y")
        #expect(try worker.reserve().id == next)
    }

    /// A function must not take a late heartbeat for a death.
    @Test func sqlDoesNotTakeWhatAClientHolds() throws {
        let broker = try database.startBroker()
        let client = try broker.connect()
        try client.enter("t")
        let id = try client.put("x")
        #expect(try client.reserve().id == id)
        let sql = try database.session()
        for seconds in [6, 3600, 0] {
            try clock.set(seconds: seconds)
            #expect(try sql.list("select id from beanrow.reserve('{t}')") == [])
            #expect(try sql.value("select beanrow.clear('t')") == "0")
            #expect(try sql.value("select beanrow.delete_job(\(id))") == "false")
        }
        try client.send("delete \(id)\r\n")
        try client.expect("DELETED")
    }

    @Test func aKilledBrokerIsDeclaredDeadThoughTheClockWasSetBack() throws {
        try clock.set(seconds: 600)
        let pair = try twoBrokers()
        // Makes its pid say nothing, as that of another machine.
        try database.run("update beanrow.broker set process_space = 'elsewhere' where pid = \(pair.b.pid)")
        pair.b.kill9()
        try clock.set(seconds: 0)
        #expect(try pair.worker.reserve().id == pair.job)
        #expect(try database.run("select count(*) from beanrow.broker") == "1")
    }

    /// A broker that starts after all others have died.
    @Test func aBrokerThatStartsDoesNotWaitForTheClock() throws {
        try clock.set(seconds: 600)
        let a = try database.startBroker()
        let client = try a.connect()
        try client.enter("t")
        let id = try client.put("x")
        #expect(try client.reserve().id == id)
        try database.run("update beanrow.broker set process_space = 'elsewhere'")
        a.kill9()
        try clock.set(seconds: 0)
        let worker = try BrokerProcess(a.configuration).connect()
        try worker.enter("t")
        #expect(try worker.reserve().id == id)
    }
}
