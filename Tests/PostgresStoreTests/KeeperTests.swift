import Foundation
import Logging
import TestKit
import Testing

@testable import PostgresStore
@testable import QueueCore

@Suite("A keeper keeps its broker registered and watches its peers")
struct KeeperTests {
    let db: Database

    init() throws {
        db = try Database()
    }

    private var epochs: String { get throws { try db.rows("select epoch from broker order by epoch") } }

    @Test func theHeartbeatIsRenewed() throws {
        let keeper = try TestKeeper(db.configuration)
        let first = try (db.number("select beats from broker"), db.value("select heartbeat_at from broker"))
        // The first heartbeat may have come before the row was read.
        for _ in 1...2 { #expect(try keeper.client.renewal() == 0) }
        #expect(try db.number("select beats from broker") > first.0)
        #expect(try db.value("select heartbeat_at from broker") > first.1)
        #expect(try db.rows("select pid, host, process_space from broker").contains("\(getpid())"))
    }

    @Test func heartbeatsComeBetweenThePartsOfManyTubes() throws {
        let keeper = try TestKeeper(db.configuration)
        try db.run("insert into tube (name) select 't' || n from generate_series(1, 5000) as n")
        try eventually("all tubes are known") { keeper.client.tubeCount == 5000 }
        #expect(keeper.client.mostLearntBetweenHeartbeats == 2000)
    }

    @Test func aSilentPeerIsDeclaredDeadAndALivingOneIsNot() throws {
        let other = try LivingBroker(db)
        let keeper = try TestKeeper(db.configuration)
        let own = try keeper.client.attachments()[0].epoch
        #expect(try epochs == "(\(other.epoch)) (\(own))")
        // For longer than a broker may be silent.
        for _ in 1...5 { #expect(try keeper.client.renewal() == 1) }
        let start = ContinuousClock.now
        other.fallSilent()
        try eventually("the silent peer is declared dead") { try epochs == "(\(own))" }
        #expect(ContinuousClock.now - start >= .milliseconds(3500) - .milliseconds(200), "not before its time is over")
        #expect(try keeper.client.renewal() == 0)
    }

    /// Only the heartbeat counter decides.
    @Test(arguments: ["- interval '1 h'", "+ interval '1 h'"])
    func theDatabasesClockDeclaresNobodyDead(offset: String) throws {
        let living = try db.addBroker(heartbeat: "clock_timestamp() \(offset)")
        let dead = try db.addBroker(heartbeat: "clock_timestamp() \(offset)")
        let heart = Shared(try db.session())
        let beating = Repeating {
            try? heart.value.run("update broker set beats = beats + 1 where epoch = \(living)")
            Thread.sleep(forTimeInterval: 0.1)
        }
        defer { beating.end() }
        let keeper = try TestKeeper(db.configuration)
        let own = try keeper.client.attachments()[0].epoch
        try eventually("only the silent peer is declared dead") { try epochs == "(\(living)) (\(own))" }
        #expect(dead > living)
        for _ in 1...5 { #expect(try keeper.client.renewal() == 1) }
    }

    @Test func aPeerWhoseProcessHasEndedIsDeclaredDeadAtOnce() throws {
        let pid = try #require(Int32(runProgram("/bin/sh", ["-c", "echo $$"]).dropLast()))
        let ended = try db.addBroker(pid: pid, space: ProcessSpace.name)
        let elsewhere = try LivingBroker(db, pid: pid, space: "another machine")
        let living = try LivingBroker(db, pid: getpid(), space: ProcessSpace.name)
        let keeper = try TestKeeper(db.configuration)
        #expect(try epochs == "(\(elsewhere.epoch)) (\(living.epoch)) (\(keeper.client.attachments()[0].epoch))")
        #expect(ended < elsewhere.epoch)
        #expect(try keeper.client.renewal() == 2)
    }

    /// A broker's machine stops after half of a batch: the transaction stays open and keeps its lock.
    @Test func anOpenBatchDoesNotKeepADeadBrokerAlive() throws {
        let dead = try db.addBroker(heartbeat: "clock_timestamp() - interval '1 h'")
        let stuck = try db.session()
        try stuck.run("begin; select from fence where epoch = \(dead) and writer = 0 for key share")
        // A session of another role, which the broker may not end.
        let role = "\(db.sessions)_stranger"
        try db.run("create role \(role) superuser login")
        defer { try? db.run("drop role \(role)") }
        let stranger = try Connection(db.configuration.database + " user=\(role)")
        try stranger.run(
            "begin; select from \(identifier(db.schema)).fence where epoch = \(dead) and writer = 1 for key share")
        let pid = try stuck.backend
        let keeper = try TestKeeper(db.configuration)
        try eventually("the session of the broker's own role is ended") {
            try db.holds("not exists (select from pg_stat_activity where pid = \(pid))")
        }
        for _ in 1...2 { #expect(try keeper.client.renewal() == 1, "its own heartbeat does not wait") }
        try stranger.run("commit")
        let epoch = try keeper.client.attachments()[0].epoch
        try eventually("the dead broker is declared dead") { try epochs == "(\(epoch))" }
        #expect(throws: StoreError.self) { try stuck.run("commit") }
    }

    @Test func aBrokerThatIsAloneIsSole() throws {
        let keeper = try TestKeeper(db.configuration)
        #expect(try keeper.client.attachments()[0].isSole)
        #expect(try db.rows("select is_sole from broker") == "(t)")
    }

    @Test func aSecondBrokerWaitsUntilTheFirstIsNoLongerSole() throws {
        let sole = try LivingBroker(db, isSole: true)
        let client = FakeClient()
        let keeper = Keeper(db.configuration, client, CurrentServer(), writers: [], .quiet) { _ in }
        keeper.start()
        defer { _ = keeper.stop(within: 10) }
        try eventually("the second broker has registered and is alive") {
            try db.number("select count(*) from broker where epoch <> \(sole.epoch) and beats > 0") == 1
        }
        #expect(!client.isAttached)
        try db.run("update broker set is_sole = false where epoch = \(sole.epoch)")
        #expect(try client.attachments()[0].isSole == false)
    }

    /// No function takes such a lock, but any session can.
    @Test func aBrokerThatCannotBecomeSoleServesAndLogsThatOnce() throws {
        let blocker = try db.session()
        try blocker.run("begin; lock table broker in row exclusive mode")
        let log = LineLog()
        let client = FakeClient()
        client.wantToBeSole()
        let keeper = Keeper(db.configuration, client, CurrentServer(), writers: [], Logger(label: "test") { _ in log })
        {
            _ in
        }
        keeper.start()
        defer { _ = keeper.stop(within: patience) }
        #expect(try client.attachments()[0].isSole == false)
        func said() -> [String] { log.said.filter { $0.contains("sole broker") } }
        try eventually("the warning is logged") { !said().isEmpty }
        for _ in 1...3 { #expect(try client.renewal() == 0) }
        let complaint =
            "warning cannot become the sole broker and goes on sharing, which is slower: another session has locked the "
            + "table of brokers"
        #expect(said() == [complaint])
        try blocker.run("commit")
        try eventually("the broker is sole") { try db.rows("select is_sole from broker") == "(t)" }
        try eventually("the end of the warning is logged") {
            said() == [complaint, "notice is the sole broker: nothing is in the way of that any more"]
        }
        #expect(client.detachments == 0)
    }

    @Test func aSoleStoreStopsBeingSoleForAnother() async throws {
        let first = try await TestStore(db.configuration)
        let second = try await TestStore(db.configuration)
        #expect(try first.client.attachments()[0].isSole)
        #expect(try second.client.attachments()[0].isSole == false)
        #expect(try db.rows("select count(*) from broker where is_sole") == "(0)")
    }

    @Test func aBrokerThatWasDeclaredDeadRegistersAgain() throws {
        let keeper = try TestKeeper(db.configuration)
        let first = try keeper.client.attachments()[0].epoch
        try db.removeBroker(first)
        let second = try keeper.client.attachments(2)[1].epoch
        #expect(second > first)
        #expect(keeper.client.detachments == 1)
        #expect(try epochs == "(\(second))")
    }

    /// A broker that kept them could give out a job from memory that a peer has claimed already.
    @Test func aBrokerThatLeavesGivesUpItsLeasesFirst() throws {
        let client = FakeClient()
        let keeper = Keeper(db.configuration("keeper"), client, CurrentServer(), writers: [], .quiet) { _ in }
        keeper.start()
        _ = try client.attachments()
        let blocker = try db.session()
        try blocker.run("begin; select from fence for key share")
        let leaving = Background(keeper) { $0.stop(within: patience) }
        try db.waitUntilBlocked("keeper")
        #expect(client.detachments == 1)
        #expect(try epochs != "", "its row is still there")
        try blocker.run("commit")
        #expect(try leaving.value())
        try eventually("its row is gone") { try epochs == "" }
    }

    @Test func theEpochOutlivesALostConnection() throws {
        let keeper = try TestKeeper(db.configuration("keeper"))
        let epoch = try keeper.client.attachments()[0].epoch
        try db.terminate("keeper")
        _ = try keeper.client.renewal()
        #expect(try epochs == "(\(epoch))")
        #expect(keeper.client.detachments == 0)
    }

    /// A broker that was cut off does not know whether its peers were too. They get time to come back.
    @Test func afterALostConnectionNoPeerIsDeclaredDeadAtOnce() throws {
        let other = try LivingBroker(db)
        let keeper = try TestKeeper(db.configuration("keeper"))
        #expect(try keeper.client.renewal() == 1)
        try db.run("begin; lock table broker")
        try waitForSilence()
        try db.terminate("keeper")
        try other.end()
        try db.run("commit")
        #expect(try keeper.client.renewal() == 1)
        #expect(try db.holds("exists (select from broker where epoch = \(other.epoch))"))
        try eventually("the silent peer is declared dead") {
            try db.holds("not exists (select from broker where epoch = \(other.epoch))")
        }
    }

    /// A machine or a database that hangs may have held up the heartbeats of peers too.
    @Test func afterAHangNoPeerIsDeclaredDeadAtOnce() throws {
        let other = try LivingBroker(db)
        let keeper = try TestKeeper(db.configuration("keeper"))
        let own = try keeper.client.attachments()[0].epoch
        #expect(try keeper.client.renewal() == 1)
        let hung = try db.session()
        try hung.run("begin; lock table broker in exclusive mode")
        try waitForSilence()
        try other.end()
        try hung.run("commit")
        #expect(try keeper.client.renewal() == 1)
        try eventually("the peer that does not come back is declared dead") { try epochs == "(\(own))" }
    }

    /// Waits until no heartbeat has come for longer than a living broker may be silent.
    private func waitForSilence() throws {
        try eventually("no heartbeat has come for 4 s") {
            try db.holds("(select clock_timestamp() - max(heartbeat_at) > interval '4 s' from broker)")
        }
    }

    @Test func aBrokerWhoseCommitsAreMissingRegistersAgain() throws {
        let keeper = try TestKeeper(db.configuration("keeper"))
        let first = try keeper.client.attachments()[0].epoch
        _ = try keeper.client.renewal()
        // The last acknowledged heartbeat is missing.
        try db.run("begin; lock table broker; update broker set beats = beats - 1")
        try db.terminate("keeper")
        try db.run("commit")
        let second = try keeper.client.attachments(2)[1].epoch
        #expect(second != first)
        #expect(keeper.client.detachments == 1)
        #expect(try epochs == "(\(second))")
    }

    @Test func theCountsOfADeadBrokerAreInherited() throws {
        let dead = try TestBroker(db, tube: db.addTube())
        try dead.put(dead.put(1), dead.put(2, delay: 100), dead.put(3, leased: true))
        _ = try dead.write { $0.stateChanges = [dead.move(3, to: .buried)] }
        _ = try dead.ask([.delete(1)])
        try db.run("insert into tube_held values (\(dead.epoch), \(dead.tube), 1, 1, 1, 1)")
        let keeper = try TestKeeper(db.configuration)
        try eventually("the counts are inherited") {
            try db.rows("select tube_id, urgent, ready, delayed, buried from tube_count") == "(\(dead.tube),0,0,1,1)"
        }
        #expect(try db.countsAgree())
        _ = try keeper.client.renewal()
        #expect(try db.number("select count(*) from tube_held") == 0)
        // The outcome of its batches can still be looked up.
        let entries = "select writer, batch, tube_ids from ledger where epoch = \(dead.epoch) order by 1, 2"
        #expect(try db.rows(entries) == "(0,1,{}) (0,2,{}) (1,1,{})")
        // The dead broker can commit nothing more.
        #expect(try dead.write { $0.puts = [dead.put(4)] } == .fenced)
    }

    @Test func severalHeirsInheritCountsOnce() throws {
        let dead = try TestBroker(db, tube: db.addTube())
        for id: JobID in 1...50 { try dead.put(dead.put(id)) }
        let heirs = try (1...3).map { _ in try TestKeeper(db.configuration) }
        for heir in heirs { _ = try heir.client.renewal() }
        try eventually("the counts are inherited") { try db.rows("select ready from tube_count") == "(50)" }
        #expect(try db.countsAgree())
        #expect(heirs.allSatisfy { $0.client.detachments == 0 })
    }

    // MARK: Held counts

    private var held: String {
        get throws { try db.rows("select tube_id, urgent, ready, delayed, buried from tube_held order by tube_id") }
    }

    @Test func heldCountsArePublished() throws {
        let keeper = try TestKeeper(db.configuration)
        keeper.client.hold(StateCounts(urgent: 1, ready: 2, delayed: 3, buried: 4), of: 7)
        keeper.client.hold(StateCounts(ready: 5), of: 8)
        try eventually("the held counts are published") { try held == "(7,1,2,3,4) (8,0,5,0,0)" }
        keeper.client.hold(StateCounts(ready: 1), of: 7)
        try eventually("the new held counts are published") { try held == "(7,0,1,0,0) (8,0,5,0,0)" }
    }

    /// A tube of which nothing is held needs no row.
    @Test func emptyHeldCountsAreRemoved() throws {
        let keeper = try TestKeeper(db.configuration)
        keeper.client.hold(StateCounts(ready: 5), of: 8)
        try eventually("the held counts are published") { try held == "(8,0,5,0,0)" }
        keeper.client.hold(StateCounts(), of: 8)
        try eventually("the row is gone") { try held == "" }
    }

    @Test func heldCountsArePublishedAfterALostConnection() throws {
        let keeper = try TestKeeper(db.configuration("keeper"))
        let blocker = try db.session()
        try blocker.run("begin; lock table tube_held in share mode")
        keeper.client.hold(StateCounts(ready: 5), of: 8)
        try db.waitUntilBlocked("keeper")
        #expect(keeper.client.isHeldTaken)
        for _ in 1...2 { #expect(try keeper.client.renewal() == 0, "the heartbeat does not wait for the held counts") }
        try db.terminate("keeper")
        try blocker.run("commit")
        try eventually("the held counts are published") { try held == "(8,0,5,0,0)" }
    }
}
