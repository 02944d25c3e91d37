import TestKit
import Testing

/// With a synchronous standby no acknowledged write is lost. Clients notice a pause at most.
@Suite("A synchronous standby takes over", .serialized)
struct SynchronousTests {
    @Test(arguments: [1, 2]) func nothingIsLostUnderLoad(brokers: Int) throws {
        let pair = try ReplicatedPostgres(isSynchronous: true)
        let first = try BrokerProcess.start(on: pair)
        let second = brokers == 2 ? try BrokerProcess.start(on: pair) : first
        let load = CrashLoad(on: first, second)
        try load.waitForAnswers(2000)
        try pair.failOver()
        try load.waitForAnswers(load.ledger.answers + 2000)
        load.finish()
        load.join()
        #expect(load.ledger.ends == [], "no connection may end")
        try load.ledger.check(on: first)
        #expect(!first.stderr.contains("giving up all leases"))
        #expect(!second.stderr.contains("giving up all leases"))
    }

    @Test func waitingClientsKeepWaitingAndHoldersKeepTheirJobs() throws {
        let pair = try ReplicatedPostgres(isSynchronous: true)
        let broker = try BrokerProcess.start(on: pair)
        let (producer, holder, waiting) = (try broker.connect(), try broker.connect(), try broker.connect())
        let held = try producer.put("held")
        try holder.send("reserve\r\n")
        #expect(try holder.expectJob().id == held)
        try waiting.send("reserve\r\n")
        try broker.waitUntil("current-waiting", is: 1)

        try pair.failOver()
        try producer.waitUntilPutsWork()
        try waiting.expectNothing(within: 0.1)
        let next = try producer.put("next")
        #expect(try waiting.expectJob().id == next)
        try waiting.ask("delete \(next)", "DELETED")
        try holder.ask("touch \(held)", "TOUCHED")
        try holder.ask("delete \(held)", "DELETED")
        try producer.ask("peek \(held)", "NOT_FOUND")
    }

    /// The old primary is started again and accepts writes. The connection string names it first.
    @Test func theOldPrimaryIsNotUsedAgain() throws {
        let pair = try ReplicatedPostgres(isSynchronous: true)
        let broker = try BrokerProcess.start(on: pair)
        let client = try broker.connect()
        try pair.failOver()
        try client.waitUntilPutsWork()
        try pair.primary.start()
        try pair.primary.set("synchronous_standby_names", to: "")

        let before = try pair.primary.psql("select max(heartbeat_at), max(epoch) from beanrow.broker")
        for round in 1...3 {
            _ = try pair.standby.psql(
                "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'beanrow'")
            try client.waitUntilPutsWork()
            let id = try client.put("round \(round)")
            #expect(try pair.standby.psql("select count(*) from beanrow.job where id = \(id)") == "1")
            try eventually("all five sessions are there") { try pair.standby.sessions == 5 }
        }
        #expect(try pair.primary.psql("select max(heartbeat_at), max(epoch) from beanrow.broker") == before)
        try eventually("the old primary has no sessions") { try pair.primary.sessions == 0 }
        #expect(broker.stderr.contains("passed over an old primary"))
    }

    /// A primary that hangs keeps its connections open and does not answer.
    @Test func aPrimaryThatHangsIsLeftWhenTheStandbyIsPromoted() throws {
        let pair = try ReplicatedPostgres(isSynchronous: true)
        let broker = try BrokerProcess.start(on: pair)
        let client = try broker.connect()
        let kept = try client.put("kept")
        try pair.primary.halt()
        try pair.promote()
        try client.waitUntilPutsWork()
        try client.ask("delete \(kept)", "DELETED")
        try eventually("all five sessions are there") { try pair.standby.sessions == 5 }
    }
}
