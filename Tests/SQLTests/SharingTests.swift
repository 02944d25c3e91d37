import Synchronization
import TestKit
import Testing

/// SQL sessions and a broker's clients at work on the same tubes.
@Suite("SQL and the protocol share") struct SharingTests {
    let database: SQLDatabase
    let broker: BrokerProcess

    init() throws {
        database = try SQLDatabase()
        broker = try database.startBroker()
    }

    /// The jobs that each worker has finished.
    private final class Finished: Sendable {
        private let jobs = Mutex<(bySQL: [UInt64], byProtocol: [UInt64])>(([], []))
        let count: Int

        init(of count: Int) { self.count = count }

        func bySQL(_ ids: [UInt64]) { jobs.withLock { $0.bySQL += ids } }
        func byProtocol(_ id: UInt64) { jobs.withLock { $0.byProtocol.append(id) } }
        var all: (bySQL: [UInt64], byProtocol: [UInt64]) { jobs.withLock { $0 } }
        var areAll: Bool { jobs.withLock { $0.bySQL.count + $0.byProtocol.count >= count } }
    }

    @Test("invariant 2: a job has one holder, a SQL session or a client of a broker")
    func workersOfBothKinds() throws {
        let client = try broker.connect()
        try client.enter("t")
        let sql = try database.session()
        var ids: [UInt64] = []
        for batch in 0..<20 {
            ids += try sql.list("select beanrow.put_many('t', array_fill('x'::text, array[50]), \(batch % 3))").map {
                UInt64($0)!
            }
            for n in 0..<50 { try client.send("put \(n % 3) 0 60 1\r\nx\r\n") }
            for _ in 0..<50 { ids.append(try client.expectInserted()) }
        }
        let finished = Finished(of: ids.count)
        let (database, broker) = (database, broker)
        try onThreads(8, within: 120) { number in
            if number % 2 == 0 {
                try Self.workBySQL(database, finished, number)
            } else {
                try Self.workByProtocol(broker, finished, number)
            }
        }
        let (bySQL, byProtocol) = finished.all
        #expect((bySQL + byProtocol).sorted() == ids.sorted(), "each job is finished exactly once")
        #expect(!bySQL.isEmpty && !byProtocol.isEmpty)
        #expect(try sql.value("select count(*) from beanrow.jobs") == "0")
        try eventually("nothing is counted") {
            try sql.list("select ready, delayed, reserved, buried from beanrow.tubes where name = 't'") == ["0,0,0,0"]
                && client.tube(
                    "t", "current-jobs-ready", "current-jobs-reserved", "current-jobs-delayed", "current-jobs-buried",
                    "current-jobs-urgent") == [0, 0, 0, 0, 0]
        }
    }

    private static func workBySQL(_ database: SQLDatabase, _ finished: Finished, _ number: Int) throws {
        let session = try database.session()
        while !finished.areAll {
            let got = try session.list("select id from beanrow.reserve('{t}', '60 seconds', \(number + 1))")
            guard !got.isEmpty else { continue }
            // One of them is released.
            if got.count > 1, try session.value("select beanrow.release(array[\(got[0])])") != "1" { return }
            let done = got.count > 1 ? Array(got.dropFirst()) : got
            let call = "select beanrow.finish(array[\(done.joined(separator: ", "))])"
            guard try session.value(call) == "\(done.count)" else { throw WireMismatch("\(call) did less") }
            finished.bySQL(done.map { UInt64($0)! })
        }
    }

    private static func workByProtocol(_ broker: BrokerProcess, _ finished: Finished, _ number: Int) throws {
        let client = try broker.connect()
        try client.enter("t")
        var turn = number
        while !finished.areAll {
            try client.send("reserve-with-timeout 0\r\n")
            let line = try client.readLine().split(separator: " ")
            guard line.first == "RESERVED" else { continue }
            _ = try client.readBody(Int(line[2])!)
            turn += 1
            if turn % 10 == 0 {
                try client.send("release \(line[1]) 1 0\r\n")
                try client.expect("RELEASED")
            } else {
                try client.send("delete \(line[1])\r\n")
                try client.expect("DELETED")
                finished.byProtocol(UInt64(line[1])!)
            }
        }
    }

    @Test func locksOfOpenTransactionsKeepNobodyElseWaiting() throws {
        let (client, other) = (try broker.connect(), try broker.connect())
        try client.enter("t")
        let id = try client.put("buried")
        #expect(try client.reserve().id == id)
        try client.send("bury \(id) 0\r\n")
        try client.expect("BURIED")
        // Three transactions stay open: with a job, a tube and a pause.
        let sessions = try (0..<3).map { _ in try database.session() }
        for session in sessions { try session.run("begin") }
        #expect(try sessions[0].value("select beanrow.kick_job(\(id))") == "true")
        try sessions[1].value("select beanrow.put('new', 'from SQL')")
        try sessions[2].value("select beanrow.pause('t', '1 hour')")
        // A client that wants just those waits.
        let (kicker, opener) = (try broker.connect(), try broker.connect())
        try kicker.send("kick-job \(id)\r\n")
        try opener.send("use new\r\nput 0 0 60 13\r\nfrom a client\r\n")
        try opener.expect("USING new")
        // No other client does.
        for round in 1...50 {
            let job = try other.put("\(round)")
            try other.send("reserve-job \(job)\r\nstats-tube default\r\ndelete \(job)\r\npeek \(job)\r\n")
            #expect(try other.expectJob().id == job)
            _ = try other.expectOK()
            try other.expect("DELETED")
            try other.expect("NOT_FOUND")
        }
        for session in sessions { try session.run("commit") }
        // The job was ready by then.
        try kicker.expect("NOT_FOUND")
        try opener.expectInserted()
        let bodies = try sessions[0].list("select beanrow.body_text(body) from beanrow.jobs where tube = 'new'")
        #expect(bodies.sorted() == ["from SQL", "from a client"])
        try eventually("the pause is known") { try client.tube("t", "pause") == [3600] }
    }

    /// A transaction has put keys. Clients that put the same keys wait for its end; no others wait.
    @Test func keysOfAnOpenTransactionKeepNobodyElseWaiting() throws {
        let (client, other) = (try broker.connect(), try broker.connect())
        try client.enter("t")
        _ = try client.put("the tube is there")
        let sql = try database.session()
        try sql.run("begin")
        let ids = try sql.list("select beanrow.put('t', 'from SQL', key => 'k' || n) from generate_series(1, 5) as n")
        let waiting = try (1...5).map { n in
            let waiting = try broker.connect()
            try waiting.send("use t\r\nput 0 0 60 13 idp:k\(n)\r\nfrom a client\r\n")
            try waiting.expect("USING t")
            return waiting
        }
        for round in 1...50 {
            let job = try other.put("\(round)")
            try other.send("put 0 0 60 1 idp:own\(round)\r\nx\r\nreserve-job \(job)\r\ndelete \(job)\r\n")
            _ = try other.expectInserted()
            #expect(try other.expectJob().id == job)
            try other.expect("DELETED")
        }
        #expect(try sql.value("select count(*) from beanrow.jobs where tube = 't'") == "6")
        try sql.run("commit")
        // They are told the ids of the jobs that are there.
        #expect(try waiting.map { String(try $0.readLine().split(separator: " ")[1]) } == ids)
    }
}
