import Foundation
import Testing

@testable import TestKit

/// SIGTERM: open commands are answered, leases end, and it takes at most 5 s.
@Suite(.beanrowOnly) struct ShutdownTests {
    /// Sends the signal and returns the exit status, which must come in time.
    private func end(
        _ server: BrokerProcess, with signal: Int32 = SIGTERM, within limit: Duration = .seconds(5)
    ) throws -> Int32 {
        let code = within(limit) {
            server.signal(signal)
            return server.waitForExit()
        }
        guard let status = code else { throw WireMismatch("it does not end: \(server.stderr)") }
        return status
    }

    /// Sends SIGTERM. True if the log shows the stop early enough: the broker waits 1.5 s for open commands.
    private func beginsToEnd(_ server: BrokerProcess) throws -> Bool {
        let start = ContinuousClock.now
        server.signal(SIGTERM)
        try eventually("it stops") { server.stderr.contains("stopping") }
        return ContinuousClock.now - start < .seconds(1)
    }

    private func expectNoBroker(in server: BrokerProcess) throws {
        let schema = server.configuration.schema
        #expect(try TestPostgres.shared().psql("select count(*) from \(schema).broker") == "0", "its leases have ended")
    }

    @Test(arguments: [SIGTERM, SIGINT])
    func withWaitingClients(signal: Int32) throws {
        let server = try BrokerProcess.start()
        let clients = try (0..<20).map { _ in try server.connect() }
        for client in clients { try client.send("reserve\r\n") }
        try server.waitUntil("current-waiting", is: 20)
        #expect(try end(server, with: signal) == 0)
        for client in clients { try client.expectEOF() }
        try expectNoBroker(in: server)
    }

    @Test func underLoad() throws {
        let server = try BrokerProcess.start(keepsJobs: true)
        let load = CrashLoad(on: server)
        try load.waitForAnswers(2000)
        #expect(try end(server) == 0)
        load.join()
        try expectNoBroker(in: server)
        let schema = server.configuration.schema
        let reserved = "select count(*) from \(schema).jobs where state = 'reserved'"
        #expect(try TestPostgres.shared().psql(reserved) == "0", "cached and held jobs are free")
        try load.ledger.check(on: BrokerProcess(server.configuration))
    }

    /// Commands that were sent before are answered before the connection ends, and no job is held by two clients.
    @Test func whatIsUnderWayIsAnswered() throws {
        try untilQuick {
            let server = try BrokerProcess.start()
            let client = try server.connect()
            try client.send("put 0 0 100 4\r\nheld\r\nreserve\r\n")
            try client.expectInserted()
            try client.expectJob()
            let lock = try Lock(on: TestPostgres.shared().connectionString, schema: server.configuration.schema)
            try client.send("put 0 0 100 1\r\na\r\n")
            try lock.waitForOneBehindIt()
            let start = ContinuousClock.now
            server.signal(SIGTERM)
            try eventually("it stops") { server.stderr.contains("stopping") }
            lock.release()
            let answer = Result { try client.expectInserted() }
            // The broker waits for the answer for 1.5 s at most.
            guard ContinuousClock.now - start < .seconds(1.4) else { return false }
            _ = try answer.get()
            try client.expectEOF()
            #expect(server.waitForExit() == 0)
            let again = try BrokerProcess(server.configuration)
            let other = try again.connect()
            try other.send("stats\r\n")
            try other.expectOK().expect(["current-jobs-ready": "2", "current-jobs-reserved": "0"])
            return true
        }
    }

    @Test func withTheDatabaseAway() throws {
        let postgres = try TestPostgres.private()
        let server = try BrokerProcess.start(postgres: postgres)
        let client = try server.connect()
        try client.send("put 0 0 100 1\r\na\r\nreserve\r\n")
        try client.expectInserted()
        try client.expectJob()
        try postgres.stop()
        try client.send("delete 1\r\nput 0 0 100 1\r\nb\r\n")
        #expect(try end(server) == 0)
        try client.expectEOF()
    }

    /// PostgreSQL accepts connections and does not answer.
    @Test func withTheDatabaseHanging() throws {
        let server = try BrokerProcess.start()
        let client = try server.connect()
        let lock = try Lock(on: TestPostgres.shared().connectionString, schema: server.configuration.schema)
        try client.send("put 0 0 100 1\r\na\r\n")
        try lock.waitForOneBehindIt()
        #expect(try end(server) == 0)
        lock.release()
    }

    @Test func withAClientThatDoesNotRead() throws {
        let server = try BrokerProcess.start()
        let client = try server.connect()
        try client.send("put 0 0 100 60000\r\n\(String(repeating: "x", count: 60_000))\r\n")
        let id = try client.expectInserted()
        let mute = try MuteClient(of: server)
        _ = try mute.push([UInt8]((0..<2000).map { _ in Array("peek \(id)\r\n".utf8) }.joined()))
        #expect(try end(server) == 0)
        try expectNoBroker(in: server)
    }

    /// The database is not there yet.
    @Test func beforeItServes() throws {
        let broker = try ChildProcess(
            BrokerProcess.beanrowPath(),
            ["-p", "0", "--no-http", "--database", "host=/nonexistent", "--database-timeout", "600"],
            output: TestRun.shared.path("early"))
        try eventually("it tries") { broker.printed.contains("no connection to the database") }
        let code = within(.seconds(5)) {
            broker.signal(SIGTERM)
            return broker.waitForExit()
        }
        #expect(code == 0)
    }

    // MARK: Twice

    @Test(arguments: [(SIGTERM, 143), (SIGINT, 130)] as [(Int32, Int32)])
    func theSecondSignalEndsItAtOnce(signal: Int32, status: Int32) throws {
        try untilQuick {
            let server = try BrokerProcess.start()
            let client = try server.connect()
            let lock = try Lock(on: TestPostgres.shared().connectionString, schema: server.configuration.schema)
            defer { lock.release() }
            try client.send("put 0 0 100 1\r\na\r\n")
            try lock.waitForOneBehindIt()
            guard try beginsToEnd(server) else { return false }
            // An orderly end takes longer while the lock is held.
            #expect(try end(server, with: signal, within: .seconds(2)) == status)
            return true
        }
    }

    // MARK: The embedded PostgreSQL

    @Test func itsOwnPostgreSQLEndsWithIt() throws {
        let server = try BrokerProcess.embedded()
        let client = try server.connect()
        try client.send("put 0 0 100 1\r\na\r\n")
        try client.expectInserted()
        let postmaster = try Cluster(of: server)
        // The time of the last checkpoint must not depend on the disk.
        try postmaster.stopSyncing()
        #expect(try end(server) == 0)
        #expect(!postmaster.hasPIDFile)
        // It logs its orderly end after a last checkpoint.
        try eventually("it says so") { try postmaster.log.contains("database system is shut down") }
        try eventually("its PostgreSQL has ended") { !postmaster.isRunning }
        let again = try BrokerProcess(server.configuration)
        try again.connect().state(of: 1).map { #expect($0 == "ready") }
        #expect(try again.stop() == 0)
    }

    @Test func itsOwnPostgreSQLEndsAtOnceToo() throws {
        try untilQuick {
            let server = try BrokerProcess.embedded()
            let client = try server.connect()
            try client.send("put 0 0 100 1\r\na\r\n")
            try client.expectInserted()
            let postmaster = try Cluster(of: server)
            let lock = try Lock(on: postmaster.connectionString, schema: "beanrow")
            try client.send("put 0 0 100 1\r\nb\r\n")
            try lock.waitForOneBehindIt()
            let isQuick = try beginsToEnd(server)
            server.signal(SIGTERM)
            let status = server.waitForExit()
            try eventually("its PostgreSQL has ended") { !postmaster.isRunning }
            guard isQuick else { return false }
            #expect(status == 143)
            // The acknowledged job exists.
            let again = try BrokerProcess(server.configuration)
            #expect(try again.connect().state(of: 1) == "ready")
            #expect(try again.stop() == 0)
            return true
        }
    }
}

/// Returns the result of `body`, which must take less than `limit`. Time in which the whole machine hung does not count.
private func within<Value>(_ limit: Duration, _ body: () -> Value) -> Value {
    let stall = Stall()
    let start = ContinuousClock.now
    let value = body()
    let taken = ContinuousClock.now - start
    let stalled = stall.end().total
    #expect(taken - stalled < limit, "it took \(taken), for \(stalled) of which the machine stalled")
    return value
}

/// Repeats an attempt that returns false because the machine was too slow for it to prove anything.
private func untilQuick(_ attempt: () throws -> Bool) throws {
    for _ in 0..<5 {
        if try attempt() { return }
    }
    throw WireMismatch("the machine was too slow, five times")
}

/// A session with a lock that keeps all others from writing jobs.
private final class Lock {
    private let session: ChildProcess
    private let database: String
    private let table: String

    init(on database: String, schema: String) throws {
        self.database = database
        table = "\(schema).job"
        session = try ChildProcess(
            psqlProgram.get(),
            [
                "-X", "-q", "-d", database, "-c",
                "begin; lock table \(table) in share row exclusive mode; select 'locked'; select pg_sleep(600)",
            ], output: TestRun.shared.path("lock"))
        try eventually("the table is locked") {
            try count("granted and mode = 'ShareRowExclusiveLock'") == "1"
        }
    }

    /// The number of locks on the table for which the condition holds.
    private func count(_ condition: String) throws -> String {
        let sql = "select count(*) from pg_locks where relation = '\(table)'::regclass and \(condition)"
        return try ChildProcess.run(psqlProgram.get(), ["-X", "-q", "-A", "-t", "-d", database, "-c", sql])
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    func waitForOneBehindIt() throws {
        try eventually("somebody waits for the lock") {
            try count("not granted and mode = 'RowExclusiveLock'") != "0"
        }
    }

    /// Ends the session, and with it the transaction.
    func release() {
        session.signal(SIGINT)
        _ = session.waitForExit()
    }
}

/// The PostgreSQL of an embedded broker, seen from outside.
private struct Cluster {
    let directory: String
    let pid: Int32

    init(of server: BrokerProcess) throws {
        directory = try #require(server.configuration.dataDirectory)
        let file = try String(contentsOfFile: directory + "/cluster/postmaster.pid", encoding: .utf8)
        pid = try #require(Int32(file.split(separator: "\n")[0]))
    }

    var connectionString: String { "host=\(directory)/socket user=beanrow dbname=beanrow" }
    var isRunning: Bool { processRuns(pid) }
    var hasPIDFile: Bool { FileManager.default.fileExists(atPath: directory + "/cluster/postmaster.pid") }
    var log: String { get throws { try String(contentsOfFile: directory + "/postgres.log", encoding: .utf8) } }

    /// Turns fsync off.
    func stopSyncing() throws {
        _ = try runPSQL(connectionString, "alter system set fsync = off")
        _ = try runPSQL(connectionString, "select pg_reload_conf()")
        try eventually("it has heard of it") { try runPSQL(connectionString, "show fsync") == "off" }
    }
}
