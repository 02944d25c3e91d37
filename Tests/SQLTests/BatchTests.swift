import Foundation
import TestKit
import Testing

/// What an action of the page does to all jobs that match a filter is what the functions of docs/sql.md do to each.
@Suite("Jobs are changed by the batch") struct BatchTests {
    /// An action on one job (`$` stands for its id), and on many (for their ids).
    struct Change: Sendable, CustomTestStringConvertible {
        let one: String
        let many: String

        var testDescription: String { many }
    }

    static let changes = [
        Change(one: "delete_job($)", many: "delete_jobs($)"),
        Change(one: "kick_job($)", many: "kick_jobs($)"),
        Change(one: "bury_job($)", many: "bury_jobs($, null)"),
        Change(one: "bury_job($, 7)", many: "bury_jobs($, 7)"),
        Change(one: "move_job($, 'target')", many: "move_jobs($, 'target')"),
        Change(one: "move_job($, 'made')", many: "move_jobs($, 'made')"),
        Change(one: "set_priority($, 9)", many: "set_priorities($, 9)"),
        Change(one: "set_priority($, 5000)", many: "set_priorities($, 5000)"),
        Change(one: "set_delay($, '0')", many: "set_delays($, '0')"),
        Change(one: "set_delay($, '1 hour')", many: "set_delays($, '1 hour')"),
    ]

    let database: SQLDatabase
    let sql: SQLSession

    init() throws {
        database = try SQLDatabase()
        sql = try database.session()
    }

    /// Jobs in each state, of which a session has two and a dead broker had one, in tubes with and without history, and
    /// some with keys.
    private func putSome() throws {
        try sql.value("select beanrow.set_policy('kept', history => '1 day', history_body => true)")
        try sql.value("select beanrow.set_policy('bare', history => '1 day')")
        for tube in ["kept", "bare", "plain", "target"] {
            for priority in [2000, 5, 1023, 1024, 5] {
                try sql.value("select beanrow.put('\(tube)', 'body \(priority)', \(priority))")
                try sql.value("select beanrow.put('\(tube)', 'late', \(priority), '30 minutes')")
                let id = try sql.value("select beanrow.put('\(tube)', 'buried', \(priority))")
                try sql.value("select beanrow.bury_job(\(id))")
            }
            try sql.value("select beanrow.put('\(tube)', 'k', key => 'everywhere')")
            try sql.value("select beanrow.put('\(tube)', 'k', key => 'in-\(tube)')")
        }
        for tube in ["kept", "plain"] { try sql.value("select beanrow.put('\(tube)', 'k', key => 'in-two')") }
        try sql.value("select count(*) from beanrow.reserve('{kept,plain}', '1 hour', 2, holder => 1)")
        try sql.run(
            """
            update beanrow.job set lease_epoch = 5, reserved_at = now(), reserved_until = now()
            where id = (select max(id) from beanrow.job where state = 0 and key is null)
            """)
    }

    /// What there is after an action: jobs, history, the changes that brokers are told of, and the tubes.
    private func outcome() throws -> [String] {
        try sql.list(
            """
            select job.id, name, state, priority, delay, round(extract(epoch from due_at - now()) / 600) as due, lease_epoch,
                reserved_at is null as idle, reserved_until is null as free,
                case when bury_order is not null then rank() over (order by bury_order) end as place,
                reserves, timeouts, releases, buries, kicks, key, encode(body, 'escape') as body
            from beanrow.job join beanrow.tube on tube.id = tube_id
            order by job.id
            """)
            + sql.list(
                """
                select
                    id, created_at, first_reserved_at, last_reserved_at, finished_at = now() as is_now, priority, ttr,
                    tube_id, reserves, timeouts, releases, buries, kicks, state, encode(body, 'escape') as body
                from beanrow.job_history
                order by id
                """)
            + sql.list(
                """
                select name, sum(urgent) as urgent, sum(ready) as ready, sum(delayed) as delayed, sum(buried) as buried,
                    min(array[priority, job_id]) filter (where job_id is not null) as first
                from beanrow.sql_change join beanrow.tube on tube.id = tube_id
                group by name order by name
                """) + sql.list("select name from beanrow.tube order by name")
    }

    /// Begins a transaction that has nothing to be told of yet.
    private func begin() throws {
        try sql.run("begin; delete from beanrow.sql_change")
    }

    @Test(arguments: changes) func aBatchDoesWhatEachCallDoes(_ change: Change) throws {
        try putSome()
        let all = try sql.list("select id from beanrow.job order by id")
        try begin()
        var done = 0
        for id in all {
            try sql.run("savepoint one")
            let call = "select beanrow.\(change.one.replacing("$", with: id))"
            do {
                if try sql.value(call) == "true" { done += 1 }
            } catch {
                // Its key is taken there.
                try sql.run("rollback to savepoint one")
                #expect(sql.refusal(call) == "BR013")
                try sql.run("rollback to savepoint one")
            }
        }
        let expected = try outcome()
        try sql.run("rollback")

        try begin()
        let ids = "'{\(all.joined(separator: ","))}'::bigint[]"
        try sql.value("select beanrow.open_batch(true)")
        let locked = try sql.list(
            """
            select id from (
                select id from beanrow.job
                where id = any (\(ids)) and beanrow.is_free(lease_epoch, array(select epoch from beanrow.broker))
                order by id for update skip locked
            ) as locked
            """)
        #expect(locked.count == all.count - 2)
        let call = change.many.replacing("$", with: "'{\(locked.joined(separator: ","))}'::bigint[]")
        #expect(try sql.value("select beanrow.\(call)") == "\(done)")
        #expect(try outcome() == expected)
        try sql.run("rollback")
        #expect(done > 0)
    }

    /// The second move waits for the put, finds that the key is taken now, and moves the others.
    @Test func aKeyThatIsTakenMeanwhile() throws {
        let ids = try ["k", "l"].map { try sql.id("select beanrow.put('t', 'x', key => '\($0)')") }
        try sql.value("select beanrow.put('u', 'x')")
        let other = try database.session()
        try other.run("begin")
        try other.value("select beanrow.put('u', 'x', key => 'k')")
        try onThreads(2, within: patience) { thread in
            if thread == 0 {
                var moved = "55P03"
                try eventually("the key is there or free") {
                    try sql.run("begin")
                    defer { try? sql.run("commit") }
                    do {
                        moved = try sql.value("select beanrow.move_jobs(array[\(ids[0]), \(ids[1])], 'u')")
                        return true
                    } catch { return false }
                }
                #expect(moved == "1")
            } else {
                try other.run("commit")
            }
        }
        #expect(
            try sql.list("select tube from beanrow.jobs where id in (\(ids[0]), \(ids[1])) order by id") == ["t", "u"])
    }

    // MARK: Operations

    /// A broker with a page, and jobs in a tube.
    private func serve(_ count: Int) throws -> (broker: BrokerProcess, web: WebClient) {
        try sql.value("select count(*) from beanrow.put_many('t', array_fill('x'::text, array[\(count)]))")
        let broker = try BrokerProcess.start(
            schema: "beanrow", database: database.connectionString, http: "127.0.0.1:0")
        return (broker, try WebClient(broker))
    }

    private func begin(_ web: WebClient, _ count: Int) throws -> Int {
        let begun = try web.post(
            "operations", #"{"action": "delete", "filter": {"tube": "t"}, "expected_count": \#(count)}"#, status: 202)
        return try #require(begun["id"] as? Int)
    }

    /// Jobs that a transaction has locked keep nothing waiting, and are changed when it has ended.
    @Test func anOperationComesBackToWhatWasInUse() throws {
        let (broker, web) = try serve(2000)
        defer { broker.kill9() }
        let other = try database.session()
        try other.run("begin")
        let locked = try other.list("select id from beanrow.job where id % 100 = 0 for update")
        let id = try begin(web, 2000)
        try eventually("all others are gone") { try sql.value("select count(*) from beanrow.job") == "\(locked.count)" }
        let operation = try web.read("operations/\(id)")
        #expect(operation["state"] as? String == "running")
        #expect(operation["changed"] as? Int == 2000 - locked.count)
        #expect(operation["skipped"] as? Int == 0)
        // One of them no longer matches then.
        try other.value("select beanrow.move_job(\(locked[0]), 'u')")
        try other.run("commit")
        try eventually("it is done") { try web.read("operations/\(id)")["state"] as? String == "done" }
        let done = try web.read("operations/\(id)")
        #expect(done["changed"] as? Int == 1999)
        #expect(done["skipped"] as? Int == 1)
        #expect(try sql.list("select id, tube from beanrow.jobs") == ["\(locked[0]),u"])
    }

    /// They are in the row of the operation, so another broker comes back to them.
    @Test func anotherBrokerComesBackToThem() throws {
        let (broker, web) = try serve(2000)
        let other = try database.session()
        try other.run("begin")
        let locked = try other.list("select id from beanrow.job where id <= 10 for update")
        let id = try begin(web, 2000)
        try eventually("all others are gone") { try sql.value("select count(*) from beanrow.job") == "10" }
        try eventually("they are noted") {
            try sql.value("select cardinality(in_use) from beanrow.operation") == "\(locked.count)"
        }
        broker.kill9()
        try other.run("commit")
        let heir = try BrokerProcess.start(
            schema: "beanrow", database: database.connectionString, http: "127.0.0.1:0")
        defer { heir.kill9() }
        let second = try WebClient(heir)
        try eventually("it lacks its broker") { try second.read("operations/\(id)")["state"] as? String == "stopped" }
        try second.post("operations/\(id)/resume")
        try eventually("it is done") { try second.read("operations/\(id)")["state"] as? String == "done" }
        #expect(try second.read("operations/\(id)")["changed"] as? Int == 2000)
        #expect(try sql.value("select count(*) from beanrow.job") == "0")
    }

    /// A client has one of them, and workers reserve others meanwhile: each job is worked on or deleted, and none twice.
    @Test func whatClientsHaveIsPassedOver() throws {
        let (broker, web) = try serve(5000)
        defer { broker.kill9() }
        let client = try broker.connect()
        try client.enter("t")
        let held = try client.reserve().id
        let id = try begin(web, 5000)
        let worker = try broker.connect()
        try worker.enter("t")
        var worked = 0
        try eventually("no job is left for a worker") {
            try worker.send("reserve-with-timeout 0\r\n")
            guard let line = try? worker.expectJob() else { return true }
            try worker.send("delete \(line.id)\r\n")
            try worker.expect("DELETED")
            worked += 1
            return false
        }
        try eventually("it is done") { try web.read("operations/\(id)")["state"] as? String == "done" }
        let done = try web.read("operations/\(id)")
        #expect((done["changed"] as? Int ?? 0) + worked == 4999)
        #expect(try sql.list("select id from beanrow.job") == ["\(held)"])
        try client.send("delete \(held)\r\n")
        try client.expect("DELETED")
    }
}
