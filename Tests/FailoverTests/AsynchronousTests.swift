import TestKit
import Testing

/// An asynchronous standby may lack the last commits. These are lost, but nothing else goes wrong.
@Suite("An asynchronous standby takes over", .serialized)
struct AsynchronousTests {
    /// The standby has the commit of `kept` and none after it.
    private func losing() throws -> (pair: ReplicatedPostgres, broker: BrokerProcess, client: WireClient, kept: UInt64)
    {
        let pair = try ReplicatedPostgres(isSynchronous: false)
        let broker = try BrokerProcess.start(on: pair)
        let client = try broker.connect()
        let kept = try client.put("kept")
        try eventually("the standby has the job") {
            (try? pair.standby.psql("select count(*) from beanrow.job where id = \(kept)")) == "1"
        }
        try pair.cutReplication()
        return (pair, broker, client, kept)
    }

    @Test func aLostPutIsGoneAndItsIDIsNotGivenAgain() throws {
        let (pair, broker, client, kept) = try losing()
        let lost = try (1...300).map { try client.put("lost \($0)") }
        let worker = try broker.connect()
        try worker.send("reserve\r\n")
        #expect(try worker.expectJob().id == kept)

        try pair.failOver()
        try client.waitUntilPutsWork()
        // A client that held a job holds it no longer. Its connection is closed: the protocol has no other way to say so.
        try worker.expectEOF()
        try client.ask("delete \(lost[0])", "NOT_FOUND")
        try client.ask("peek \(lost[299])", "NOT_FOUND")
        #expect(try client.put("new") > lost[299])
        try client.send("reserve\r\n")
        #expect(try client.expectJob().id == kept)
        try client.ask("delete \(kept)", "DELETED")
    }

    @Test func aLostDeleteBringsItsJobBack() throws {
        let (pair, broker, client, kept) = try losing()
        try client.ask("delete \(kept)", "DELETED")
        try pair.failOver()
        try client.waitUntilPutsWork()
        try client.send("reserve\r\n")
        #expect(try client.expectJob().id == kept)
        #expect(broker.stderr.contains("the database does not have all that this broker has done there"))
    }

    /// Invariant 8. A new tube is given the number of the lost one.
    @Test func theJobsOfALostTubeGoToNoOtherTube() throws {
        let (pair, broker, client, _) = try losing()
        try client.ask("use lost", "USING lost")
        _ = try client.put("lost")
        let number = try pair.primary.psql("select id from beanrow.tube where name = 'lost'")
        let watcher = try broker.connect()
        try watcher.ask("watch lost", "WATCHING 2")
        try watcher.ask("ignore default", "WATCHING 1")
        try watcher.send("reserve\r\n")
        #expect(try watcher.expectJob().body == "lost")

        try pair.primary.kill9()
        _ = try pair.promote()
        // Another broker, or SQL, makes a tube, which gets the number.
        _ = try pair.standby.psql(
            "alter table beanrow.tube alter id restart with \(number); insert into beanrow.tube (name) values ('other')"
        )
        #expect(try pair.standby.psql("select id from beanrow.tube where name = 'other'") == number)
        try watcher.expectEOF()
        let id = try client.put("found")
        #expect(try pair.standby.psql("select tube from beanrow.jobs where id = \(id)") == "lost")
        let other = try broker.connect()
        try other.ask("watch other", "WATCHING 2")
        try other.ask("ignore default", "WATCHING 1")
        try other.ask("reserve-with-timeout 0", "TIMED_OUT")
    }

    /// Invariant 2: two brokers that have lost their registrations do not get the same epoch.
    @Test func twoBrokersWithLostRegistrationsGetDifferentEpochs() throws {
        let pair = try ReplicatedPostgres(isSynchronous: false)
        let probe = try BrokerProcess.start(on: pair)
        try probe.stop()
        let schema = "select max(version), (select count(*) from beanrow.broker) from beanrow.migration"
        let version = try pair.primary.psql("select max(version) from beanrow.migration")
        try eventually("the standby has the schema") { (try? pair.standby.psql(schema)) == "\(version)|0" }
        try pair.cutReplication()
        let brokers = try (1...2).map { _ in try BrokerProcess.start(on: pair) }
        let before = try pair.primary.psql("select string_agg(epoch::text, ',') from beanrow.broker").split(
            separator: ",")
        #expect(Set(before).count == 2)
        try pair.failOver()
        for broker in brokers {
            let client = try broker.connect()
            try client.waitUntilPutsWork()
        }
        let after = try pair.standby.psql("select string_agg(epoch::text, ',') from beanrow.broker").split(
            separator: ",")
        #expect(Set(after).count == 2)
        #expect(Set(after).isDisjoint(with: before))
    }

    /// Both brokers have lost their registrations, and one of them notices that first.
    @Test func twoBrokersUnderLoadGiveNoJobOutTwice() throws {
        let pair = try ReplicatedPostgres(isSynchronous: false)
        let brokers = try (1...2).map { _ in try BrokerProcess.start(on: pair) }
        let before = CrashLoad(on: brokers[0], brokers[1])
        try before.waitForAnswers(1000)
        try pair.cutReplication()
        try before.waitForAnswers(before.ledger.answers + 1000)
        try pair.failOver()
        before.finish()
        for broker in brokers {
            let client = try broker.connect()
            try client.waitUntilPutsWork()
        }
        before.join()
        // The checks below leave out the lost jobs and count everything from here on.
        let left = try brokers[0].connect()
        try left.ask("watch probe", "WATCHING 2")
        try eventually("no job is left") {
            while true {
                try left.send("reserve-with-timeout 1\r\n")
                let line = try left.readLine()
                if line == "TIMED_OUT" { break }
                let parts = line.split(separator: " ")
                guard parts.count == 3, parts[0] == "RESERVED", let size = Int(parts[2]) else {
                    throw WireMismatch("a reserve was answered \(line)")
                }
                _ = try left.readBody(size)
                try left.ask("delete \(parts[1])", "DELETED")
            }
            return try pair.standby.psql("select count(*) from beanrow.job") == "0"
        }
        let after = CrashLoad(on: brokers[0], brokers[1], round: 1)
        try after.waitForAnswers(2000)
        after.finish()
        after.join()
        #expect(after.ledger.ends == [])
        try after.ledger.check(on: brokers[1])
    }
}
