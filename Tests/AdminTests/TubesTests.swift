import Foundation
import TestKit
import Testing

/// Tubes, operations, history and events through the API.
@Suite struct TubesTests {
    let broker: BrokerProcess
    let web: WebClient
    let client: WireClient

    init() throws {
        broker = try BrokerProcess.start(http: "127.0.0.1:0")
        web = try WebClient(broker)
        client = try broker.connect()
    }

    private func put(_ tube: String, _ count: Int, delay: Int = 0) throws {
        try client.send("use \(tube)\r\n" + String(repeating: "put 0 \(delay) 60 1\r\nx\r\n", count: count))
        try client.expect("USING \(tube)")
        for _ in 0..<count { _ = try client.expectInserted() }
    }

    private func names(_ query: String) throws -> [String] {
        try #require(web.read("tubes?" + query)["tubes"] as? [[String: Any]]).map { $0["name"] as? String ?? "" }
    }

    private func counts(_ tube: String) throws -> [String: Int] {
        let detail = try web.read("tubes/\(tube)")["tube"] as? [String: Any]
        return try #require(detail?["counts"] as? [String: Int])
    }

    @Test func theTable() throws {
        try put("mail/in", 3)
        try put("mail/out", 1, delay: 3600)
        try put("z", 2)
        try eventually("they are there") { try names("sort=name") == ["default", "mail/in", "mail/out", "z"] }
        #expect(try names("sort=-name&limit=2") == ["z", "mail/out"])
        #expect(try names("sort=name&limit=2&offset=1") == ["mail/in", "mail/out"])
        #expect(try names("sort=ready&limit=2") == ["mail/in", "z"])
        #expect(try names("sort=delayed&limit=1") == ["mail/out"])
        #expect(try names("prefix=mail&sort=name") == ["mail/in", "mail/out"])
        #expect(try names("filter=AIL/o") == ["mail/out"])
        #expect(try names("filter=").count == 4)
        let page = try web.read("tubes?filter=mail&limit=1")
        #expect(page["matching"] as? Int == 2)
        #expect(page["total"] as? Int == 4)
        #expect(try web.get("/api/v1/tubes?sort=size").status == 400)
        let overview = try web.read("overview")
        #expect((overview["counts"] as? [String: Int])?["ready"] == 5)
        #expect((overview["counts"] as? [String: Int])?["delayed"] == 1)
        #expect(overview["may_act"] as? Bool == true)
        #expect((overview["queue"] as? [String: Any])?["schema"] as? String == broker.configuration.schema)
        #expect(try web.get("/api/v1/tubes/nobody").status == 404)
        #expect(try web.get("/api/v1/tubes/-").status == 400)
        #expect(try counts("mail%2Fin")["ready"] == 3)
    }

    /// Groups are made of all tubes, whatever the limit is.
    @Test func groups() throws {
        for (tube, count) in [
            ("orders.eu.1", 3), ("orders.us", 1), ("orders-x", 1), ("mail/in", 2), ("mail/out", 1), ("single.one", 9),
        ] {
            try put(tube, count)
        }
        func rows(_ query: String) throws -> [String] {
            try #require(web.read("tubes?group=1&" + query)["groups"] as? [[String: Any]]).map { group in
                let sum = group["sum"] as? [String: Any]
                let tubes = (group["tubes"] as? [[String: Any]])?.map { $0["name"] as? String ?? "" }
                let ready = (sum?["counts"] as? [String: Int])?["ready"] ?? -1
                return
                    "\(group["prefix"] as? String ?? "-") \(sum?["name"] as? String ?? "") \(group["size"] as? Int ?? 0) "
                    + "\(ready)" + (tubes.map { " \($0)" } ?? "")
            }
        }
        let all = ["- single.one 1 9", "orders. orders. 2 4", "mail/ mail/ 2 3", "- orders-x 1 1", "- default 1 0"]
        try eventually("they are there") { try rows("sort=ready") == all }
        #expect(try rows("sort=-ready") == all.reversed())
        #expect(try rows("sort=ready&limit=2&offset=1") == Array(all[1...2]))
        #expect(
            try rows("sort=name").map { $0.split(separator: " ")[1] } == [
                "default", "mail/", "orders-x", "orders.", "single.one",
            ])
        #expect(
            try rows("sort=ready&open=mail/,orders.,nobody.&limit=3") == [
                all[0], all[1] + #" ["orders.eu.1", "orders.us"]"#, all[2] + #" ["mail/in", "mail/out"]"#,
            ])
        // Groups are of what matches.
        #expect(try rows("filter=orders&sort=name") == ["- orders-x 1 1", "orders. orders. 2 4"])
        let page = try web.read("tubes?group=1&limit=1")
        #expect(page["matching"] as? Int == 7)
        #expect(page["matching_groups"] as? Int == 5)
        #expect((page["tubes"] as? [Any])?.isEmpty == true)
    }

    /// A tube that refuses puts needs somebody, and comes first.
    @Test func aFullTube() throws {
        try put("many", 5)
        try put("few", 1)
        #expect(try web.ask("PUT", "/api/v1/tubes/few/policy", json: #"{"max_ready": 1}"#).status < 300)
        func alarm() throws -> String? { (try web.read("tubes/few")["tube"] as? [String: Any])?["alarm"] as? String }
        try eventually("it is full") { try alarm() == "full" }
        try eventually("it comes first") { try names("").first == "few" }
        try eventually("the strip says it") { try web.read("overview")["alarms"] as? Int == 1 }
        #expect(try web.read("tubes/few")["late_after_seconds"] as? Double == 300)
        try web.post("tubes/few/clear")
        try eventually("it is well") { try alarm() == nil }
    }

    @Test func actions() throws {
        try put("a", 4)
        try put("a", 2, delay: 3600)
        try web.post("jobs/bury", #"{"ids": [1, 2]}"#)
        // Buried ones first, and only those; then the delayed ones.
        #expect(try web.post("tubes/a/kick", #"{"up_to": 1}"#)["changed"] as? Int == 1)
        #expect(try web.post("tubes/a/kick")["changed"] as? Int == 1)
        #expect(try web.post("tubes/a/kick")["changed"] as? Int == 2)
        #expect(try web.post("tubes/a/pause", #"{"seconds": 100}"#)["changed"] as? Int == 0)
        try eventually("it is paused") {
            (try web.read("tubes/a")["tube"] as? [String: Any])?["pause_seconds_left"] as? Double ?? 0 > 50
        }
        #expect(try web.ask("POST", "/api/v1/tubes/a/pause", json: "{}").status == 400)
        try web.post("tubes/a/unpause")
        try eventually("it is not paused") {
            (try web.read("tubes/a")["tube"] as? [String: Any])?["pause_seconds_left"] == nil
        }
        try web.post("jobs/bury", #"{"ids": [1]}"#)
        #expect(try web.post("tubes/a/clear", #"{"state": "buried"}"#)["changed"] as? Int == 1)
        #expect(try web.post("tubes/a/clear", #"{"up_to": 2}"#)["changed"] as? Int == 2)
        #expect(try web.post("tubes/a/clear")["changed"] as? Int == 3)
        #expect(try web.ask("POST", "/api/v1/tubes/a/clear", json: #"{"state": "reserved"}"#).status == 400)
        #expect(try web.ask("POST", "/api/v1/tubes/nobody/clear", json: "{}").status == 404)
    }

    @Test func aPolicyAndItsHistory() throws {
        #expect(try web.ask("PUT", "/api/v1/tubes/h/policy", json: #"{"bury_after_timeouts": 0}"#).status == 400)
        let policy = #"{"history_seconds": 86400, "history_body": true, "max_ready": 1000}"#
        #expect(try web.ask("PUT", "/api/v1/tubes/h/policy", json: policy).status == 200)
        let all = try #require(web.get("/api/v1/policies").json() as? [[String: Any]])
        #expect(all.count == 1)
        #expect(all.first?["tube"] as? String == "h")
        #expect(all.first?["max_ready"] as? Int == 1000)
        try put("h", 3)
        // The broker follows within a second.
        try eventually("the broker knows") {
            (try web.read("tubes/h")["tube"] as? [String: Any])?["has_policy"] as? Bool == true
        }
        try client.send("watch h\r\nreserve\r\ndelete 1\r\ndelete 2\r\n")
        try client.expect("WATCHING 2")
        try client.expectJob()
        for _ in 1...2 { try client.expect("DELETED") }
        let history = try #require(web.read("history")["jobs"] as? [[String: Any]])
        #expect(history.map { $0["id"] as? Int } == [2, 1])
        #expect(history.map { $0["outcome"] as? String } == ["deleted", "finished"])
        let first = try web.read("history?limit=1")
        let next = try #require(first["next"] as? String)
        let second = try #require(web.read("history?limit=1&after=\(next)")["jobs"] as? [[String: Any]])
        #expect(second.map { $0["id"] as? Int } == [1])
        #expect(try (web.read("history?outcome=finished&tube=h")["jobs"] as? [[String: Any]])?.count == 1)
        #expect(try (web.read("history?id=2")["jobs"] as? [[String: Any]])?.count == 1)
        #expect(try (web.read("history?finished_before=2020-01-01T00:00:00Z")["jobs"] as? [[String: Any]])?.count == 0)
        let ended = try web.read("jobs/1")
        #expect((ended["ended"] as? [String: Any])?["outcome"] as? String == "finished")
        #expect((ended["body"] as? [String: Any])?["data"] as? String == "x")
        #expect(try web.get("/api/v1/jobs/1/body").text == "x")
    }

    @Test func aTubeThatHasOnlyAPolicyIsPausedOnceItIsUsed() throws {
        #expect(try web.ask("PUT", "/api/v1/tubes/later/policy", json: #"{"max_ready": 9}"#).status == 200)
        let refused = try web.ask("POST", "/api/v1/tubes/later/pause", json: #"{"seconds": 3600}"#)
        #expect(refused.status == 409)
        #expect(refused.text.contains("Put a job into it first"))
        #expect(try web.post("tubes/later/clear")["changed"] as? Int == 0)
        #expect(try web.ask("POST", "/api/v1/tubes/never/pause", json: #"{"seconds": 9}"#).status == 404)
        #expect(try web.ask("POST", "/api/v1/tubes/never/clear", json: "{}").status == 404)
        try put("later", 1)
        try client.send("watch later\r\nignore default\r\n")
        try client.expect("WATCHING 2")
        try client.expect("WATCHING 1")
        try web.post("tubes/later/pause", #"{"seconds": 3600}"#)
        try eventually("the broker knows of the pause") {
            try client.send("stats-tube later\r\n")
            return try client.expectOK().number("pause") == 3600
        }
        try client.send("reserve-with-timeout 0\r\n")
        try client.expect("TIMED_OUT")
        try web.post("tubes/later/unpause")
        try client.send("reserve-with-timeout 20\r\n")
        try client.expectJob()
    }

    /// Pages of the history, with each filter, are what there is in the order of the ends.
    @Test func pagesOfTheHistory() throws {
        for tube in ["h", "i"] {
            let answer = try web.ask("PUT", "/api/v1/tubes/\(tube)/policy", json: #"{"history_seconds": 3600}"#)
            #expect(answer.status == 200)
        }
        for n in 1...12 {
            let id = try web.post("jobs", #"{"tube": "\#(n % 3 == 0 ? "i" : "h")", "body": "x"}"#, status: 201)["id"]
            try web.post("jobs/\(try #require(id as? Int))/delete")
        }
        for (filter, expected) in [
            ("", Array((1...12).reversed())), ("tube=i&", [12, 9, 6, 3]),
            ("outcome=deleted&tube=h&", [11, 10, 8, 7, 5, 4, 2, 1]),
            ("outcome=finished&", []), ("id=7&", [7]), ("id=99&", []),
        ] {
            var seen: [Int] = []
            var after: String? = ""
            while let key = after {
                let page = try web.read("history?\(filter)limit=3" + (key.isEmpty ? "" : "&after=\(key)"))
                seen += (page["jobs"] as? [[String: Any]] ?? []).map { $0["id"] as? Int ?? 0 }
                after = page["next"] as? String
            }
            #expect(seen == expected, "\(filter)")
        }
    }

    // MARK: Operations

    private func operation(_ id: Int) throws -> [String: Any] { try web.read("operations/\(id)") }

    private func waitFor(_ id: Int, _ state: String) throws -> [String: Any] {
        try eventually("operation \(id) is \(state)") { try operation(id)["state"] as? String == state }
        return try operation(id)
    }

    @Test func anOperationOnAFilter() throws {
        try put("a", 1200)
        try put("b", 5)
        let filter = #"{"tube": "a", "priority_to": 0}"#
        #expect(try web.post("jobs/count", filter)["count"] as? Int == 1200)
        try eventually("the broker's own count") {
            try web.post("jobs/count", #"{"tube": "a"}"#)["count"] as? Int == 1200
        }
        // More than were confirmed: nothing is done.
        let refused = try web.ask(
            "POST", "/api/v1/operations", json: #"{"action": "delete", "filter": \#(filter), "expected_count": 1199}"#)
        #expect(refused.status == 409)
        let begun = try web.post(
            "operations", #"{"action": "bury", "filter": \#(filter), "expected_count": 1200, "priority": 9}"#,
            status: 202)
        let id = try #require(begun["id"] as? Int)
        let done = try waitFor(id, "done")
        #expect(done["changed"] as? Int == 1200)
        #expect(done["skipped"] as? Int == 0)
        try eventually("they are buried") { try counts("a")["buried"] == 1200 }
        #expect(try counts("b")["ready"] == 5)
        #expect(try web.ask("POST", "/api/v1/operations/\(id)/resume").status == 409)
        #expect(try web.get("/api/v1/operations/999").status == 404)
    }

    /// No more than were confirmed, whatever is put meanwhile.
    @Test func anOperationLeavesWhatCameLater() throws {
        try put("a", 700)
        let begun = try web.post(
            "operations", #"{"action": "delete", "filter": {"tube": "a"}, "expected_count": 700}"#, status: 202)
        try put("a", 10)
        let id = try #require(begun["id"] as? Int)
        #expect(try waitFor(id, "done")["changed"] as? Int == 700)
        try eventually("the later ones are there") { try counts("a")["ready"] == 10 }
    }

    @Test func anOperationStopsAndGoesOnElsewhere() throws {
        try put("a", 3000)
        let begun = try web.post(
            "operations", #"{"action": "delete", "filter": {"tube": "a"}, "expected_count": 3000}"#, status: 202)
        let id = try #require(begun["id"] as? Int)
        let stopped = try web.post("operations/\(id)/stop")
        #expect(["stopped", "done"].contains(stopped["state"] as? String))
        let before = try #require(stopped["changed"] as? Int)
        broker.kill9()
        let heir = try BrokerProcess.start(schema: broker.configuration.schema, http: "127.0.0.1:0")
        let web = try WebClient(heir)
        #expect(try web.read("operations/\(id)")["changed"] as? Int == before)
        if before < 3000 { try web.post("operations/\(id)/resume") }
        try eventually("it is done") { try web.read("operations/\(id)")["state"] as? String == "done" }
        #expect(try web.read("operations/\(id)")["changed"] as? Int == 3000)
        #expect(try (web.read("jobs?tube=a")["jobs"] as? [Any])?.isEmpty == true)
    }

    // MARK: Events

    @Test func events() throws {
        let stream = try web.events("/api/v1/events?view=tubes&sort=ready&limit=1")
        #expect(try stream.next("overview")["tubes"] as? Int != nil)
        #expect(try (stream.next("tubes")["tubes"] as? [Any])?.count == 1)
        try put("busy", 50)
        try eventually("the stream shows it") {
            let tube = try (stream.next("tubes")["tubes"] as? [[String: Any]])?.first
            return tube?["name"] as? String == "busy" && (tube?["counts"] as? [String: Int])?["ready"] == 50
                && tube?["in_per_second"] as? Double ?? 0 > 0
        }
    }

    /// The operation that a viewer has begun shows in the stream of another.
    @Test func anOperationInTheStream() throws {
        try put("a", 20)
        let stream = try web.events("/api/v1/events")
        try web.post("operations", #"{"action": "delete", "filter": {"tube": "a"}, "expected_count": 20}"#, status: 202)
        var operation: [String: Any] = [:]
        while operation["state"] as? String != "done" { operation = try stream.next("operation") }
        #expect(operation["request"] != nil && operation["changed"] as? Int == 20)
    }

    /// What another broker does is in the samples, which it writes every 10 s.
    @Test func ratesAreOfTheWholeQueue() throws {
        let other = try BrokerProcess.start(schema: broker.configuration.schema)
        let client = try other.connect()
        try client.send("use elsewhere\r\n")
        try client.expect("USING elsewhere")
        try eventually("the puts at the other broker are told here", within: 60) {
            try client.send("put 0 0 60 1\r\na\r\n")
            _ = try client.expectInserted()
            let tube = try web.read("tubes?filter=elsewhere")["tubes"] as? [[String: Any]]
            return try (tube?.first?["in_per_second"] as? Double ?? 0) > 0
                && (web.read("overview")["in_per_second"] as? Double ?? 0) > 0
        }
    }

    @Test func brokersAndWarnings() throws {
        let other = try BrokerProcess.start(schema: broker.configuration.schema)
        try eventually("both are there") {
            let all = try web.get("/api/v1/brokers").json() as? [[String: Any]] ?? []
            return all.count == 2 && all.filter { $0["is_this"] as? Bool == true }.count == 1
                && all.allSatisfy { $0["is_alive"] as? Bool == true }
        }
        #expect(try web.get("/api/v1/warnings").json() is [Any])
        _ = other
    }
}
