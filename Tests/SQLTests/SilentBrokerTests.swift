import Foundation
import TestKit
import Testing

@testable import PostgresStore

#if canImport(Glibc)
import Glibc
#endif

/// SQL beside brokers that do not answer.
@Suite("SQL beside a broker that is late or dead") struct SilentBrokerTests {
    let database: SQLDatabase
    let broker: BrokerProcess
    let sql: SQLSession
    let client: WireClient

    init() throws { (database, broker, sql, client) = try SQLDatabase.besideBroker() }

    private func makeSole() throws {
        try eventually("it is the sole one") { try sql.value("select is_sole from beanrow.broker") == "true" }
    }

    /// The error of a call that fails.
    private func refusal(_ query: String) -> String {
        do { try sql.value(query) } catch { return "\(error)" }
        return "none"
    }

    /// A stopped broker may go on, so no function declares it dead.
    @Test func aCallThatGetsNoAnswerNamesTheBrokerAndLeavesItAlone() throws {
        try makeSole()
        let ids = try (1...3).map { try client.put("\($0)") }
        broker.signal(SIGSTOP)
        defer { broker.signal(SIGCONT) }
        try sql.run("begin; savepoint s")
        let said = refusal("select id from beanrow.reserve('{t}', count => 5)")
        #expect(said.contains("BR010") && said.contains("no answer in 10 seconds from broker"))
        #expect(said.contains("(pid \(broker.pid) on "))
        // The transaction goes on, and so does the broker.
        try sql.run("rollback to savepoint s")
        try sql.value("select beanrow.put('t', 'from SQL', 2000)")
        broker.signal(SIGCONT)
        // Not in order: a refill passes over rows that are locked while the broker gives up what it had.
        let reserved = try ids.map { _ in try client.reserve().id }
        #expect(reserved.sorted() == ids)
        try client.put("more")
        try client.send("delete \(ids[0])\r\nrelease \(ids[1]) 0 0\r\nbury \(ids[2]) 0\r\n")
        for word in ["DELETED", "RELEASED", "BURIED"] { try client.expect(word) }
        #expect(try sql.value("select count(*) from beanrow.broker") == "1")
        try sql.run("commit")
    }

    /// Another broker declares it dead, while the transaction that waited for it stays open.
    @Test func oneThatWasLateGoesOnAtOnceBesideAnOpenTransaction() throws {
        let other = try BrokerProcess(broker.configuration)
        let ids = try (1...3).map { try client.put("\($0)") }
        broker.signal(SIGSTOP)
        defer { broker.signal(SIGCONT) }
        try sql.run("begin")
        try eventually("the other one has declared it dead") {
            try database.run("select count(*) from beanrow.broker") == "1"
        }
        var got: [UInt64] = []
        try eventually("SQL has them all") {
            got += try sql.list("select id from beanrow.reserve('{t}', count => 5)").map { UInt64($0)! }
            return got.count == 3
        }
        #expect(got.sorted() == ids)
        broker.signal(SIGCONT)
        for server in [broker, other] {
            let client = try server.connect()
            try client.enter("t")
            let id = try client.put("x", priority: 0)
            #expect(try client.reserve().id == id)
            try client.send("delete \(id)\r\n")
            try client.expect("DELETED")
        }
        try sql.run("rollback")
    }

    @Test func aKilledBrokerIsInTheWayUntilItIsDeclaredDead() throws {
        try makeSole()
        let held = try client.put("held")
        #expect(try client.reserve().id == held)
        let ids = try (1...3).map { try client.put("\($0)") }
        broker.kill9()
        #expect(sql.refusal("select beanrow.delete_job(\(ids[0]))") == "BR010")
        #expect(refusal("select beanrow.declare_silent_brokers_dead()").contains("25001"))
        #expect(throws: StoreError.self) { try sql.run("begin; call beanrow.declare_dead()") }
        try sql.run("rollback")
        try sql.run("call beanrow.declare_dead()")
        #expect(try sql.value("select count(*) from beanrow.brokers") == "0")
        #expect(try sql.value("select beanrow.delete_job(\(ids[0]))") == "true")
        #expect(
            try sql.list("select id from beanrow.reserve('{t}', count => 10)")
                == [held, ids[1], ids[2]].map { "\($0)" })
        #expect(try sql.value("select beanrow.finish(array[\(held), \(ids[1]), \(ids[2])])") == "3")
    }

    @Test func whoIsHeardOfIsNotDeclaredDead() throws {
        let id = try client.put("x")
        #expect(try client.reserve().id == id)
        let epoch = try sql.value("select epoch from beanrow.broker")
        try sql.run("call beanrow.declare_dead()")
        #expect(try sql.value("select epoch from beanrow.broker") == epoch)
        try client.send("delete \(id)\r\n")
        try client.expect("DELETED")
    }
}
