import Foundation
import TestKit

@testable import PostgresStore

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// Causes faults and mends them. It belongs to one thread.
final class Injector {
    private let brokers: [Broker]
    private let postgres: TestPostgres
    /// Nil if the run may not mount one.
    private let disk: SmallDisk?
    private let recorder: Recorder
    private var random: SplitMix
    /// The times until another broker gave out the jobs of a killed one, in seconds.
    private(set) var handovers: [Double] = []
    /// The same for a broker whose last batch had reached the server in part.
    private(set) var losses: [Double] = []
    /// How many connections a broker's proxy has cut around a commit.
    private(set) var cuts = 0

    init(_ brokers: [Broker], _ postgres: TestPostgres, _ disk: SmallDisk?, seed: UInt64, _ recorder: Recorder) {
        self.brokers = brokers
        self.postgres = postgres
        self.disk = disk
        self.recorder = recorder
        random = SplitMix(seed: seed)
    }

    /// The faults that are possible on this machine.
    var faults: [Fault] { Fault.allCases.filter { $0 != .diskFull || disk != nil } }

    /// Causes a fault and mends it.
    func strike(_ fault: Fault) throws {
        let broker = random.pick(brokers)
        switch fault {
        case .brokerKilled: handovers.append(try kill(broker))
        case .brokerLost: losses.append(try kill(broker, lost: true))
        case .brokerFrozen:
            broker.signal(SIGSTOP)
            pause(6)
            broker.signal(SIGCONT)
        case .brokerTerminated:
            if let pid = broker.pid { recorder.note(0, .ending(broker: pid)) }
            try broker.stop()
            try broker.start()
        case .sessionTerminated: try withSession { try terminateOne($0) }
        case .backendKilled: try withSession { systemKill(try pickBackend($0), SIGKILL) }
        case .postgresKilled:
            try postgres.kill9()
            pause(random.percent(50) ? 0 : 2)
            try postgres.start()
        case .postgresStopped:
            try postgres.stopImmediately()
            try postgres.start()
        case .postgresFrozen:
            postgres.freeze()
            pause(10)
            postgres.thaw()
        case .allKilled:
            for broker in brokers { broker.kill9() }
            try postgres.kill9()
            try postgres.start()
            for broker in brokers { try broker.start() }
        case .databaseSilentShortly: endure(.silence, broker.database, for: 1)
        case .databaseSilent: endure(.silence, broker.database, for: 5)
        case .databaseDeaf: endure(.init(losesRequests: true), broker.database, for: 2)
        case .databaseMute: endure(.init(losesAnswers: true), broker.database, for: 2)
        case .databaseSlow: endure(.init(delay: 0.2), broker.database, for: 3)
        case .commitsCut: cutCommits(of: broker, for: 3)
        case .clientsSilent:
            recorder.note(0, .silenced(proxy: broker.number))
            endure(.silence, broker.front, for: 4)
            broker.front.reset()
        case .slotsUsedUp: try useUpSlots()
        case .diskFull: try fillDisk()
        }
    }

    private func pause(_ seconds: Double) {
        Thread.sleep(forTimeInterval: seconds)
    }

    // MARK: Brokers

    /// Kills a broker that holds a job for which a client of another broker waits, and starts it again.
    /// Returns the seconds until that client was given the job.
    ///
    /// `lost`: half of a batch has reached the server at that moment, and the server is not told that the connection
    /// has ended.
    private func kill(_ broker: Broker, lost: Bool = false) throws -> Double {
        let other = brokers.first { $0.number != broker.number }!
        let tube = "heir-\(recorder.newToken())"
        let holder = try broker.connect()
        try holder.send("use \(tube)\r\nput 0 0 600 1\r\nx\r\nwatch \(tube)\r\nreserve\r\n")
        try holder.expect("USING \(tube)")
        let id = try holder.expectInserted()
        try holder.expect("WATCHING 2")
        try holder.expect("RESERVED \(id) 1")
        let heir = try other.connect()
        try heir.send("watch \(tube)\r\nignore default\r\nreserve\r\n")
        try heir.expect("WATCHING 2")
        try heir.expect("WATCHING 1")
        if lost { try cutInsideBatch(of: broker) }

        let killed = recorder.now
        broker.kill9()
        try heir.expect("RESERVED \(id) 1")
        let seconds = recorder.now - killed
        try heir.expect("x")
        try heir.send("delete \(id)\r\n")
        try heir.expect("DELETED")
        try broker.start()
        return seconds
    }

    /// Sends half of a batch to the server. Neither the server nor the broker is told that the rest is lost.
    private func cutInsideBatch(of broker: Broker) throws {
        let before = broker.database.cutsStruck
        broker.database.cutNext(Cut(.beforeSyncSilently, statement: "put"))
        try eventually("half a batch is sent") { broker.database.cutsStruck > before }
    }

    // MARK: Connections to the database

    private func endure(_ faults: FaultProxy.Faults, _ proxy: FaultProxy, for seconds: Double) {
        proxy.faults = faults
        pause(seconds)
        // New connections work; those that have lost bytes stay silent.
        proxy.faults = FaultProxy.Faults()
    }

    private func cutCommits(of broker: Broker, for seconds: Double) {
        let before = broker.database.cutsStruck
        let end = recorder.now + seconds
        while recorder.now < end {
            broker.database.cutNext(Cut(random.pick(Cut.Place.noticed), statement: "ledger"))
            pause(Double(random.below(100)) / 1000)
        }
        broker.database.cancelCuts()
        cuts += broker.database.cutsStruck - before
    }

    // MARK: PostgreSQL

    /// A session whose name differs from those of the brokers' sessions.
    private func session() throws -> Connection {
        try Connection("\(postgres.connectionString) application_name=chaos")
    }

    private func withSession(_ body: (Connection) throws -> Void) throws {
        try body(session())
    }

    /// The backend process of one of the brokers' sessions.
    private func pickBackend(_ session: Connection) throws -> Int32 {
        let statement = Statement(
            name: "", sql: "select pid from pg_stat_activity where application_name = 'beanrow' order by pid")
        try session.prepare([statement])
        let rows = try session.execute(statement)
        guard rows.count > 0 else { throw WireMismatch("no broker has a session") }
        return rows.int32(random.below(rows.count), 0)
    }

    private func terminateOne(_ session: Connection) throws {
        try session.run("select pg_terminate_backend(\(pickBackend(session)))")
    }

    /// Takes all free connection slots, then those of the brokers.
    private func useUpSlots() throws {
        let session = try session()
        var others: [Connection] = []
        func takeAll() {
            while let other = try? self.session() { others.append(other) }
        }
        takeAll()
        try session.run("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'beanrow'")
        let end = recorder.now + 3
        while recorder.now < end {
            takeAll()
            pause(0.02)
        }
    }

    /// True if PostgreSQL has no space for another table of a megabyte, or is down.
    private var isRefusingToWrite: Bool {
        let table = "create table filler as select repeat(i::text, 1000) from generate_series(1, 300) as i"
        return (try? session().run("begin; \(table); rollback")) == nil
    }

    private func fillDisk() throws {
        guard let disk else { return }
        let end = recorder.now + 4
        var isFelt = false
        while recorder.now < end {
            disk.fill()
            isFelt = isFelt || isRefusingToWrite
            pause(0.1)
        }
        disk.free()
        guard isFelt else { throw WireMismatch("the disk was filled, but PostgreSQL could still write") }
        // PostgreSQL may have ended because it had no space for its log.
        _ = try postgres.startIfEnded()
    }
}

/// The system call, whose name a method of `Injector` shadows.
private func systemKill(_ pid: Int32, _ signal: Int32) {
    kill(pid, signal)
}
