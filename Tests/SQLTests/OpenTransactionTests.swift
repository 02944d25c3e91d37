import Foundation
import TestKit
import Testing

@testable import PostgresStore

#if canImport(Glibc)
import Glibc
#endif

/// A transaction that has called a function may stay open for any time.
@Suite("What an open transaction keeps from others") struct OpenTransactionTests {
    /// The tables that brokers write while they work.
    private static let brokersTables = [
        "broker", "fence", "ledger", "tube_count", "tube_held", "tube_awaited", "notice",
        "migration",
    ]

    /// A server that can prepare transactions.
    private static let cluster = Swift.Result {
        try TestPostgres.private(settings: [
            "max_connections": "300", "max_prepared_transactions": "100",
        ])
    }

    private func database() throws -> SQLDatabase {
        let database = try SQLDatabase(on: Self.cluster.get())
        try database.run("select count(*) from beanrow.put_many('taken', array_fill('x'::text, array[10]))")
        try database.run("select count(*) from beanrow.put_many('t', array_fill('x'::text, array[10]))")
        return database
    }

    @Test func everyFunctionForCallersIsAmongThem() {
        let granted = [Privileges.producer, .worker, .steering].flatMap(\.grants).filter { $0.kind == .function }
        // The first three change nothing; the others are refused in a transaction.
        let others: Set = ["body_text", "body_json", "seen_at", "declare_dead", "declare_silent_brokers_dead"]
        #expect(Set(granted.map(\.name)).subtracting(others) == Set(OpenCall.all.map(\.function)))
    }

    /// Who locks a row locks its table too, so locks on tables show both.
    @Test(arguments: OpenCall.all) func aCallLocksNothingOfBrokers(_ open: OpenCall) throws {
        let database = try database()
        // A broker that is silent, and has answered in advance.
        try database.run(
            """
            insert into beanrow.broker (epoch, host, pid, process_space, heartbeat_at, answered)
            values (7, 'elsewhere', 1, 'elsewhere', now() - interval '1 hour', 1000000)
            """)
        let session = try database.session()
        let call = try open.prepare(session)
        try session.run("begin")
        try session.value(call)
        let locks = try session.list(
            """
            select relname, mode from pg_locks
            join pg_class on pg_class.oid = relation and pg_class.relkind in ('r', 'p')
            where pid = pg_backend_pid() and relnamespace = 'beanrow'::regnamespace
                and mode not in ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock')
                or pid = pg_backend_pid() and relnamespace = 'beanrow'::regnamespace
                and relname in ('\(Self.brokersTables.joined(separator: "', '"))') and mode <> 'AccessShareLock'
            """)
        #expect(locks == [])
        try session.run("rollback")
    }

    /// Each call is left in a transaction of its own, and all of them are open at once.
    @Test(arguments: [false, true]) func brokersWorkBesideThemAll(arePrepared: Bool) throws {
        let database = try database()
        let first = try database.startBroker()
        var sessions: [SQLSession] = []
        for (number, open) in OpenCall.all.enumerated() {
            let session = try database.session()
            let call = try open.prepare(session)
            try session.run("begin")
            try session.value(call)
            if arePrepared { try session.run("prepare transaction '\(number)'") }
            sessions.append(session)
        }
        try work(at: first)
        let holder = try first.connect()
        try holder.enter("held")
        let held = try holder.put("x")
        #expect(try holder.reserve().id == held)
        let second = try BrokerProcess(first.configuration)
        try work(at: second)
        try work(at: first)
        // The second broker gives out what the dead one had. It is alone, and cannot become the sole one.
        first.kill9()
        let worker = try second.connect()
        try worker.enter("held")
        #expect(try worker.reserve().id == held)
        try beats(database, 3)
        try work(at: second)
        #expect(try database.run("select count(*), bool_or(is_sole) from beanrow.broker") == "1|f")
        // So does a broker that starts now.
        try second.stop()
        let third = try BrokerProcess(first.configuration)
        try work(at: third)
        #expect(third.exitCode == nil)
        for (number, session) in sessions.enumerated() {
            try session.run(arePrepared ? "rollback prepared '\(number)'" : "rollback")
        }
        try work(at: third)
    }

    /// Waits for this many heartbeats.
    private func beats(_ database: SQLDatabase, _ count: Int) throws {
        let session = try database.session()
        let start = try session.id("select sum(beats) from beanrow.broker")
        try eventually("hearts beat") {
            try session.id("select sum(beats) from beanrow.broker") >= start + UInt64(count)
        }
    }

    /// Each kind of statement of a broker, on other jobs of the same tube and on another tube.
    private func work(at broker: BrokerProcess) throws {
        for tube in ["t", "other"] {
            let client = try broker.connect()
            try client.enter(tube)
            let id = try client.put("x", priority: 0)
            #expect(try client.reserve().id == id)
            try client.send(
                "touch \(id)\r\nrelease \(id) 0 0\r\nreserve-job \(id)\r\nbury \(id) 0\r\nkick-job \(id)\r\n")
            for word in ["TOUCHED", "RELEASED"] { try client.expect(word) }
            #expect(try client.expectJob().id == id)
            for word in ["BURIED", "KICKED"] { try client.expect(word) }
            #expect(try client.reserve().id == id)
            try client.send("bury \(id) 0\r\nkick 10\r\npeek \(id)\r\npeek-ready\r\n")
            for word in ["BURIED", "KICKED 1"] { try client.expect(word) }
            #expect(try client.expectJob("FOUND").id == id)
            #expect(try client.expectJob("FOUND").id == id)
            try client.send("stats-job \(id)\r\nstats-tube \(tube)\r\nstats\r\nlist-tubes\r\n")
            for _ in 1...3 { _ = try client.expectOK() }
            #expect(try client.expectList().contains(tube))
            try client.send("pause-tube \(tube) 0\r\ndelete \(id)\r\npeek \(id)\r\n")
            for word in ["PAUSED", "DELETED", "NOT_FOUND"] { try client.expect(word) }
        }
        let client = try broker.connect()
        try client.enter("late")
        let late = try client.put("x", delay: 1)
        #expect(try client.reserve().id == late)
        try client.send("delete \(late)\r\n")
        try client.expect("DELETED")
    }
}
