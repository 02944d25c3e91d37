import Foundation
import TestKit
import Testing

/// Jobs through the API: found, shown and changed.
@Suite struct JobsTests {
    let broker: BrokerProcess
    let web: WebClient
    let client: WireClient

    init() throws {
        broker = try BrokerProcess.start(http: "127.0.0.1:0")
        web = try WebClient(broker)
        client = try broker.connect()
    }

    private func ids(_ query: String, line: Int = #line) throws -> [Int] {
        try #require(web.read("jobs?" + query, line: line)["jobs"] as? [[String: Any]]).map { $0["id"] as? Int ?? 0 }
    }

    private func job(_ id: Int) throws -> [String: Any] {
        try #require(web.read("jobs/\(id)")["job"] as? [String: Any])
    }

    /// Four jobs: 1 ready, 2 delayed, 3 buried, 4 ready in another tube.
    private func putSome() throws {
        try client.send(
            "use mail\r\nput 7 0 60 8\r\nfirst 42\r\nput 2000 3600 60 6\r\nsecond\r\nput 0 0 60 8\r\nthird 42\r\n")
        try client.expect("USING mail")
        for _ in 0..<3 { _ = try client.expectInserted() }
        try client.send("watch mail\r\nreserve\r\nbury 3 9\r\nuse mail/b+c\r\nput 5 0 60 1\r\nd\r\n")
        try client.expect("WATCHING 2")
        #expect(try client.expectJob().id == 3)
        try client.expect("BURIED")
        try client.expect("USING mail/b+c")
        _ = try client.expectInserted()
    }

    @Test func filters() throws {
        try putSome()
        #expect(try ids("") == [1, 2, 3, 4])
        #expect(try ids("tube=mail") == [1, 2, 3])
        #expect(try ids("tube=mail*") == [1, 2, 3, 4])
        #expect(try ids("tube=mail%2Fb%2Bc") == [4])
        #expect(try ids("tube=nobody") == [])
        #expect(try ids("tube=mail&state=buried") == [3])
        #expect(try ids("state=delayed") == [2])
        #expect(try ids("state=ready") == [1, 4])
        #expect(try ids("state=reserved") == [])
        #expect(try ids("id_from=2&id_to=3") == [2, 3])
        #expect(try ids("priority_from=6&priority_to=9") == [1, 3])
        #expect(try ids("body=42") == [1, 3])
        #expect(try ids("tube=mail&body=%20%34%32&state=ready") == [1])
        #expect(try ids("older_than=3600") == [])
        #expect(try ids("created_after=2020-01-01T00:00:00Z&created_before=2020-01-02T00:00:00%2B01:00") == [])
        #expect(try ids("created_after=2020-01-01T00:00:00.5Z") == [1, 2, 3, 4])
        // What is no filter is refused, not passed over.
        for wrong in [
            "state=lost", "id_from=x", "limit=0", "limit=1001", "older_than=-1", "created_after=yesterday", "nmae=a",
            "tube=-a",
        ] {
            #expect(try web.get("/api/v1/jobs?" + wrong).status == 400, "\(wrong)")
        }
    }

    @Test func pages() throws {
        try client.send((1...25).map { "put 0 0 60 \("\($0)".count)\r\n\($0)\r\n" }.joined())
        for _ in 1...25 { _ = try client.expectInserted() }
        for filter in ["", "tube=default&", "state=ready&", "body=1&"] {
            var seen: [Int] = []
            var after: String? = "0"
            while let key = after {
                let page = try web.read("jobs?\(filter)limit=10&after=\(key)")
                seen += (page["jobs"] as? [[String: Any]] ?? []).map { $0["id"] as? Int ?? 0 }
                after = page["next"] as? String
            }
            #expect(seen == (1...25).filter { filter != "body=1&" || "\($0)".contains("1") }, "\(filter)")
        }
    }

    @Test func aReservedJob() throws {
        try client.send("put 7 0 100 5\r\nhello\r\nreserve\r\n")
        _ = try client.expectInserted()
        try client.expectJob()
        // The reservation is in the row when it has lasted a moment.
        try eventually("it is shown as reserved") { try job(1)["state"] as? String == "reserved" }
        let detail = try web.read("jobs/1")
        let holder = try #require((detail["job"] as? [String: Any])?["holder"] as? [String: Any])
        let address = try #require(holder["client"] as? String)
        #expect(address.hasPrefix("127.0.0.1:"))
        #expect(holder["broker_pid"] as? Int == Int(broker.pid))
        let events = try #require(detail["timeline"] as? [[String: Any]]).map { $0["event"] as? String }
        #expect(events == ["put", "reserved", "lease_ends"])
        // Which tubes have such jobs is published once a second.
        try eventually("it is found") { try ids("state=reserved") == [1] }
        #expect(try ids("tube=default&state=reserved") == [1])
        let held = try #require(web.read("holders")["jobs"] as? [[String: Any]])
        #expect(held.count == 1)
        #expect((held.first?["holder"] as? [String: Any])?["client"] as? String == address)
        let clients = try #require(web.read("clients")["clients"] as? [[String: Any]])
        #expect(clients.count == 1)
        #expect(clients.first?["address"] as? String == address)
        #expect(clients.first?["holds"] as? [Int] == [1])
        // Nobody takes it away.
        let answer = try web.post("jobs/1/delete")
        #expect(answer["changed"] as? Int == 0)
        #expect((answer["skipped"] as? [[String: Any]])?.first?["reason"] as? String == "It is reserved.")
        try client.send("delete 1\r\n")
        try client.expect("DELETED")
        #expect(try web.get("/api/v1/jobs/1").status == 404)
    }

    @Test func bodies() throws {
        #expect(try web.post("jobs", #"{"tube": "a", "body": "<script>\u0000é"}"#, status: 201)["id"] as? Int == 1)
        #expect(try web.post("jobs", #"{"tube": "a", "body_base64": "/wA="}"#, status: 201)["id"] as? Int == 2)
        #expect(try web.post("jobs", #"{"tube": "a", "body": ""}"#, status: 201)["id"] as? Int == 3)
        let text = try web.get("/api/v1/jobs/1/body")
        #expect(text.text == "<script>\0é")
        #expect(text.headers["content-type"] == "application/octet-stream")
        #expect(text.headers["content-disposition"] == #"attachment; filename="job-1""#)
        let binary = try web.read("jobs/2")["body"] as? [String: Any]
        #expect(binary?["encoding"] as? String == "base64")
        #expect(binary?["data"] as? String == "/wA=")
        #expect(try (web.read("jobs/3")["body"] as? [String: Any])?["data"] as? String == "")
        // Longer than what is shown at once.
        let long = String(repeating: "é", count: 30_000)
        try web.post("jobs", #"{"tube": "a", "body": "\#(long)"}"#, status: 201)
        #expect(try web.get("/api/v1/jobs/4/body").text == long)
        #expect(try (job(4)["preview"] as? String)?.count == 200)
        client.timeout = patience
        try client.send("watch a\r\nreserve-job 1\r\n")
        try client.expect("WATCHING 2")
        #expect(try client.expectJob().id == 1)
    }

    @Test func whatIsPut() throws {
        try web.post(
            "jobs", #"{"tube": "a/b", "body": "x", "priority": 5, "delay_seconds": 9, "ttr_seconds": 7, "key": "k"}"#,
            status: 201)
        #expect(try web.post("jobs", #"{"tube": "a/b", "body": "y", "key": "k"}"#, status: 201)["id"] as? Int == 1)
        let job = try job(1)
        #expect(job["tube"] as? String == "a/b")
        #expect(job["priority"] as? Int == 5)
        #expect(job["ttr_seconds"] as? Int == 7)
        #expect(job["state"] as? String == "delayed")
        #expect(job["key"] as? String == "k")
        for wrong in [
            "{}", #"{"tube": "-", "body": "x"}"#, #"{"tube": "a"}"#,
            #"{"tube": "a", "body": "x", "body_base64": "eA=="}"#,
            #"{"tube": "a", "body": "x", "priority": -1}"#, #"{"tube": "a", "body": "x", "delay_seconds": 4294967296}"#,
            #"{"tube": "a", "body_base64": "?"}"#, #"{"tube": "a", "body": "x", "key": " "}"#, "[1]", "nonsense",
        ] {
            let answer = try web.ask("POST", "/api/v1/jobs", json: wrong)
            #expect(answer.status == 400, "\(wrong)")
            #expect(answer.headers["content-type"] == "application/problem+json")
        }
    }

    @Test func actionsOnOneJob() throws {
        try putSome()
        func done(_ path: String, _ json: String = "{}") throws -> Bool {
            try web.post("jobs/" + path, json)["changed"] as? Int == 1
        }
        #expect(try done("1/bury", #"{"priority": 3}"#))
        #expect(try job(1)["state"] as? String == "buried")
        #expect(try job(1)["priority"] as? Int == 3)
        #expect(try done("1/kick"))
        #expect(try !done("1/kick"))
        #expect(try done("1/delay", #"{"delay_seconds": 60}"#))
        #expect(try job(1)["state"] as? String == "delayed")
        #expect(try done("1/delay", #"{"delay_seconds": 0}"#))
        #expect(try done("1/priority", #"{"priority": 4294967295}"#))
        #expect(try done("1/move", #"{"tube": "other"}"#))
        #expect(try job(1)["tube"] as? String == "other")
        #expect(try done("1/delete"))
        #expect(try web.get("/api/v1/jobs/1").status == 404)
        #expect(try web.ask("POST", "/api/v1/jobs/1/delete", json: "{}").status == 404)
        #expect(try web.ask("POST", "/api/v1/jobs/2/move", json: "{}").status == 400)
        #expect(try web.ask("POST", "/api/v1/jobs/2/explode", json: "{}").status == 404)
        // The page of the job tells of them, and the audit of all.
        #expect(try done("2/kick"))
        let events = try #require(web.read("jobs/2")["timeline"] as? [[String: Any]])
        #expect(events.contains { $0["text"] as? String == "kick by 127.0.0.1" })
        let audit = try #require(web.get("/api/v1/audit?limit=3").json() as? [[String: Any]])
        #expect(audit.map { $0["action"] as? String } == ["kick", "delete", "delete"])
        #expect(audit.map { $0["object"] as? String } == ["job 2", "job 1", "job 1"])
        #expect(audit.map { $0["changed"] as? Int } == [1, 0, 1])
    }

    @Test func actionsOnAList() throws {
        try putSome()
        let answer = try web.post("jobs/kick", #"{"ids": [1, 2, 3, 99]}"#)
        #expect(answer["changed"] as? Int == 2)
        let skipped = try #require(answer["skipped"] as? [[String: Any]])
        #expect(
            Set(skipped.map { "\($0["id"] ?? ""): \($0["reason"] ?? "")" }) == [
                "1: It is ready already.", "99: There is no such job.",
            ])
        #expect(try web.post("jobs/delete", #"{"ids": [1, 2, 3, 4]}"#)["changed"] as? Int == 4)
        #expect(try ids("") == [])
        #expect(try web.ask("POST", "/api/v1/jobs/delete", json: #"{"ids": []}"#).status == 400)
        #expect(try web.ask("POST", "/api/v1/jobs/delete", json: #"{"ids": [0]}"#).status == 400)
    }

    /// One job of a list cannot be moved, since its key is taken there; the others are.
    @Test func aListOfWhichOneFails() throws {
        for (tube, key) in [("a", "k"), ("b", "k"), ("a", "l")] {
            try web.post("jobs", #"{"tube": "\#(tube)", "body": "", "key": "\#(key)"}"#, status: 201)
        }
        let answer = try web.post("jobs/move", #"{"ids": [1, 3], "tube": "b"}"#)
        #expect(answer["changed"] as? Int == 1)
        let skipped = try #require(answer["skipped"] as? [[String: Any]])
        #expect(skipped.map { $0["id"] as? Int } == [1])
        #expect((skipped.first?["reason"] as? String)?.contains("has a job with the key 'k'") == true)
        #expect(try job(3)["tube"] as? String == "b")
    }
}
