import TestKit
import Testing

/// Jobs that a broker has in its memory are steered by SQL.
@Suite("SQL steers what a broker has") struct SteeringTests {
    let database: SQLDatabase
    let broker: BrokerProcess
    let sql: SQLSession
    let client: WireClient

    init() throws { (database, broker, sql, client) = try SQLDatabase.besideBroker() }

    /// Puts jobs, and has the broker take them into its memory: it is alone, and a client of it watches the tube.
    private func cached(_ count: Int) throws -> [UInt64] {
        let ids = try (1...count).map { try client.put("\($0)") }
        let first = try client.reserve()
        #expect(first.id == ids[0])
        try client.send("release \(first.id) 1024 0\r\n")
        try client.expect("RELEASED")
        try eventually("the broker is alone") { try sql.value("select sole from beanrow.brokers") == "true" }
        return ids
    }

    private func state(_ id: UInt64) throws -> [String] {
        try sql.list("select tube, state, priority from beanrow.jobs where id = \(id)")
    }

    @Test func whatNobodyHoldsIsSteered() throws {
        let ids = try cached(100)
        #expect(try sql.value("select beanrow.delete_job(\(ids[10]))") == "true")
        #expect(try sql.value("select beanrow.bury_job(\(ids[20]))") == "true")
        #expect(try sql.value("select beanrow.move_job(\(ids[30]), 'u')") == "true")
        #expect(try sql.value("select beanrow.set_priority(\(ids[40]), 1)") == "true")
        #expect(try sql.value("select beanrow.set_delay(\(ids[50]), '1 hour')") == "true")
        #expect(try state(ids[10]) == [])
        #expect(try state(ids[20]) == ["t,buried,1024"])
        #expect(try state(ids[30]) == ["u,ready,1024"])
        #expect(try state(ids[40]) == ["t,ready,1"])
        #expect(try state(ids[50]) == ["t,delayed,1024"])
        // The protocol shows the same at once.
        for (id, answer) in [(ids[20], "buried"), (ids[30], "ready"), (ids[50], "delayed")] {
            #expect(try client.state(of: id) == answer)
        }
        try client.send("peek \(ids[10])\r\npeek-buried\r\npeek-delayed\r\nuse u\r\npeek-ready\r\nuse t\r\n")
        try client.expect("NOT_FOUND")
        #expect(try client.expectJob("FOUND").id == ids[20])
        #expect(try client.expectJob("FOUND").id == ids[50])
        try client.expect("USING u")
        #expect(try client.expectJob("FOUND").id == ids[30])
        try client.expect("USING t")
        try eventually("the broker counts the same") {
            try client.tube("t", "current-jobs-ready", "current-jobs-delayed", "current-jobs-buried") == [96, 1, 1]
                && client.tube("u", "current-jobs-ready") == [1]
        }
        try eventually("the more urgent job is the first one") {
            try client.send("peek-ready\r\n")
            return try client.expectJob("FOUND").id == ids[40]
        }
        // The jobs that are left come once each. A broker beside SQL shares, so their order is that of several brokers.
        let gone = [ids[10], ids[20], ids[30], ids[50]]
        var got: [UInt64] = []
        for _ in 0..<96 {
            got.append(try client.reserve().id)
            try client.send("delete \(got.last!)\r\n")
            try client.expect("DELETED")
        }
        #expect(got.first == ids[40])
        #expect(got.sorted() == ids.filter { !gone.contains($0) })
    }

    /// The row does not show the reservation yet.
    @Test func whatAClientHasJustReservedStaysIts() throws {
        _ = try cached(20)
        let functions = [
            "delete_job($)", "bury_job($)", "move_job($, 'u')", "set_priority($, 1)", "set_delay($, '1 hour')",
            "kick_job($)",
        ]
        for n in 0..<20 {
            let job = try client.reserve()
            let call = functions[n % functions.count].replacing("$", with: String(job.id))
            #expect(try sql.value("select beanrow.\(call)") == "false", "\(call)")
            #expect(try state(job.id) == ["t,reserved,1024"])
            try client.send("delete \(job.id)\r\n")
            try client.expect("DELETED")
            #expect(sql.refusal("select beanrow.\(call)") == "BR006")
        }
        #expect(try sql.value("select count(*) from beanrow.tubes where name = 'u'") == "0")
    }

    @Test func aTubeIsClearedButForWhatIsHeld() throws {
        let ids = try cached(3000)
        let held = try (0..<3).map { _ in try client.reserve().id }
        #expect(held == Array(ids[..<3]))
        try client.send("bury \(held[2]) 5\r\n")
        try client.expect("BURIED")
        try client.put("late", delay: 3600)
        var counts: [Int] = []
        try eventually("nothing is left to be cleared") {
            counts.append(Int(try sql.value("select beanrow.clear('t', 1000)")) ?? -1)
            return counts.last == 0
        }
        #expect(counts.allSatisfy { $0 <= 1000 })
        #expect(counts.reduce(0, +) == 2999)
        #expect(
            try sql.list("select id, state from beanrow.jobs order by id") == held.prefix(2).map { "\($0),reserved" })
        try client.send("delete \(held[0])\r\nrelease \(held[1]) 0 0\r\n")
        try client.expect("DELETED")
        try client.expect("RELEASED")
        #expect(try client.reserve().id == held[1])
        try client.send("delete \(held[1])\r\nreserve-with-timeout 0\r\n")
        try client.expect("DELETED")
        try client.expect("TIMED_OUT")
        try eventually("the counts are 0") {
            try client.tube(
                "t", "current-jobs-ready", "current-jobs-reserved", "current-jobs-delayed", "current-jobs-buried")
                == [0, 0, 0, 0]
        }
    }
}
