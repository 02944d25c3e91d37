import TestKit
import Testing

/// Upstream's cases about `reserve-job` and about reservations that run out.
@Suite struct UpstreamReserveTests {
    private let client: WireClient

    init() throws {
        client = try BrokerProcess.start().connect()
    }

    private func put(_ arguments: String, _ body: String, as id: UInt64) throws {
        try client.send("put \(arguments) \(body.utf8.count)\r\n\(body)\r\n")
        try client.expect("INSERTED \(id)")
    }

    private func reserveJob(_ id: UInt64, _ body: String) throws {
        try client.send("reserve-job \(id)\r\n")
        try client.expect("RESERVED \(id) \(body.utf8.count)")
        try client.expect(body)
    }

    @Test func reserve_ttr_deadline_soon() throws {
        try put("0 0 1", "a", as: 1)
        // All in one packet, so that the time to run is not over even on a slow machine.
        try client.send("reserve-with-timeout 1\r\nstats-job 1\r\nreserve-with-timeout 1\r\nrelease 1 0 0\r\n")
        try client.expect("RESERVED 1 1")
        try client.expect("a")
        try client.expectOK().expect(["state": "reserved"])
        try client.expect("DEADLINE_SOON")
        try client.expect("RELEASED")
        #expect(try client.state(of: 1) == "ready")
    }

    @Test func reserve_job_ttr_deadline_soon() throws {
        try put("0 5 1", "a", as: 1)
        #expect(try client.state(of: 1) == "delayed")
        // A reservation by id runs out like any other.
        try client.send("reserve-job 1\r\nreserve-with-timeout 1\r\nstats-job 1\r\n")
        try client.expect("RESERVED 1 1")
        try client.expect("a")
        try client.expect("DEADLINE_SOON")
        try client.expectOK().expect(["state": "reserved"])
        // The job was delayed, but comes back ready.
        try eventually("the job is ready") { try client.state(of: 1) == "ready" }
    }

    @Test func reserve_job_already_reserved() throws {
        try put("0 0 100", "A", as: 1)
        try reserveJob(1, "A")
        try client.send("reserve-job 1\r\n")
        try client.expect("NOT_FOUND")
    }

    @Test func reserve_job_ready() throws {
        try put("0 0 100", "A", as: 1)
        try put("0 0 100", "B", as: 2)
        try reserveJob(2, "B")
        try client.send("reserve-job 3\r\n")
        try client.expect("NOT_FOUND")
        // The other job is unchanged.
        try client.send("release 1 1 0\r\n")
        try client.expect("NOT_FOUND")
        try client.send("release 2 1 0\r\n")
        try client.expect("RELEASED")
    }

    @Test func reserve_job_delayed() throws {
        try put("0 100 100", "A", as: 1)
        try put("0 100 100", "B", as: 2)
        try put("0 100 100", "C", as: 3)
        try reserveJob(2, "B")
        try client.send("release 2 1 0\r\n")
        try client.expect("RELEASED")
        #expect(try client.state(of: 2) == "ready")
        #expect(try client.state(of: 1) == "delayed")
    }

    @Test func reserve_job_buried() throws {
        for (id, body) in [(UInt64(1), "A"), (2, "B")] {
            try put("0 0 100", body, as: id)
            try reserveJob(id, body)
            try client.send("bury \(id) 1\r\n")
            try client.expect("BURIED")
        }
        try reserveJob(2, "B")
        try reserveJob(1, "A")
        for id in [UInt64(1), 2] {
            try client.send("release \(id) 1 0\r\n")
            try client.expect("RELEASED")
            #expect(try client.state(of: id) == "ready")
        }
    }
}
