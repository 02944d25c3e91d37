import Foundation
import TestKit
import Testing

/// `beanrow bench` as its users call it.
@Suite struct BenchTests {
    /// Runs a command.
    /// - Returns: What it prints to standard output and error, and its exit status.
    private func bench(_ arguments: String) throws -> String {
        let command = "timeout 60 \(try BrokerProcess.beanrowPath()) bench \(arguments) 2>&1; echo exit $?"
        return try runProgram("/bin/sh", ["-c", command], within: 90)
    }

    private func expectEmpty(_ server: BrokerProcess) throws {
        for number in ["ready", "reserved", "delayed", "buried"] {
            try server.waitUntil("current-jobs-\(number)", is: 0)
        }
        try server.waitUntil("current-tubes", is: 1)
    }

    @Test func aReport() throws {
        let server = try BrokerProcess.start()
        let address = "127.0.0.1:\(server.port!)"
        let printed = try bench(
            "\(address) --vs \(address) --rounds 2 --jobs 500 --producers 4 --workers 4 --depth 2 --tubes 3 "
                + "--stats --rate 5000 --idle 5 --cpu broker=\(server.pid) --json --quiet")
        let (json, end) = (printed.split(separator: "\n").first ?? "", printed.split(separator: "\n").last)
        #expect(end == "exit 0", "\(printed)")
        let report = try #require(try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
        let servers = try #require(report["servers"] as? [[String: Any]])
        #expect(servers.count == 2)
        #expect(servers[0]["address"] as? String == address)
        #expect(servers[0]["version"] as? String == "0.1.0")
        let runs = try #require(servers[0]["runs"] as? [[String: Any]])
        #expect(runs.count == 2)
        let latencies = try #require(runs[0]["latency_ms"] as? [String: [String: Double]])
        #expect(Set(latencies.keys) == ["put", "reserved", "delete", "stats", "stats_tube"])
        for kind in ["put", "reserved", "delete"] { #expect(latencies[kind]?["count"] == 500) }
        #expect((runs[0]["done_per_second"] as? Double ?? 0) > 0)
        #expect((runs[0]["cpu_us_per_job"] as? [String: Double])?["broker"] != nil)
        #expect((report["ratios"] as? [String: Double])?["done_per_second"] != nil)
        try expectEmpty(server)
    }

    @Test(arguments: ["--mode phase", "--workers 0 --depth 20", "--workers 0 --tube mails", "--body 48 --tubes 7"])
    func nothingIsLeft(options: String) throws {
        let server = try BrokerProcess.start()
        let printed = try bench("127.0.0.1:\(server.port!) --jobs 1000 \(options)")
        #expect(printed.contains("puts/s"))
        #expect(printed.hasSuffix("exit 0\n"))
        try expectEmpty(server)
    }

    @Test func jobsOfOthersStay() throws {
        let server = try BrokerProcess.start()
        let client = try server.connect()
        try client.send("use mails\r\nput 0 0 60 1\r\na\r\n")
        try client.expect("USING mails")
        try client.expectInserted()
        #expect(try bench("127.0.0.1:\(server.port!) --jobs 50 --workers 0 --tube mails").hasSuffix("exit 0\n"))
        try server.waitUntil("current-jobs-ready", is: 1)
        #expect(try bench("127.0.0.1:\(server.port!) --jobs 50 --workers 0 --tube mails --keep").hasSuffix("exit 0\n"))
        try server.waitUntil("current-jobs-ready", is: 51)
    }

    @Test func whatWasKeptIsDrained() throws {
        let server = try BrokerProcess.start()
        let address = "127.0.0.1:\(server.port!)"
        #expect(try bench("\(address) --jobs 300 --workers 0 --tube mails --keep").hasSuffix("exit 0\n"))
        let drained = try bench("\(address) --producers 0 --workers 4 --jobs 300 --tube mails --drain")
        #expect(drained.hasSuffix("exit 0\n"))
        try expectEmpty(server)
    }

    @Test func severalBrokersShareTheLoad() throws {
        let first = try BrokerProcess.start()
        let second = try BrokerProcess(first.configuration)
        let (one, two) = ("127.0.0.1:\(first.port!)", "127.0.0.1:\(second.port!)")
        let shared = try bench("\(one) \(two) --jobs 300 --producers 4 --workers 4 --json --quiet")
        #expect(shared.contains(#""address":"\#(one) \#(two)""#), "\(shared)")
        #expect(shared.hasSuffix("exit 0\n"))
        for broker in [first, second] { try broker.waitUntil("cmd-put", in: 1...299) }

        let apart = try bench("\(one) --workers-at \(two) --jobs 100 --producers 2 --workers 2 --vs \(two) --rounds 1")
        #expect(apart.contains("ratio"))
        #expect(apart.hasSuffix("exit 0\n"))
        // The second one had the workers, and was then alone.
        for broker in [first, second] { try broker.waitUntil("cmd-reserve-with-timeout", in: 1...10_000) }
        try expectEmpty(first)
    }

    @Test func overASocket() throws {
        let server = try BrokerProcess.start(overSocket: true)
        #expect(try bench("unix:\(server.configuration.socketPath!) --jobs 100").hasSuffix("exit 0\n"))
    }

    @Test(arguments: [
        ("--jobs 10000000 --limit 1", "not done in 1 s"), ("--jobs 10000 --body 70000", "reply to put: JOB_TOO_BIG"),
        ("--jobs 10000000 --workers 0 --limit 0.5", "not done in 0.5 s"), ("--cpu x=999999999", "no process 999999999"),
    ])
    func afterAFailureToo(options: String, says: String) throws {
        let server = try BrokerProcess.start()
        let printed = try bench("127.0.0.1:\(server.port!) \(options)")
        #expect(printed.contains(says))
        #expect(printed.hasSuffix("exit 1\n"))
        try expectEmpty(server)
    }

    @Test func interrupted() throws {
        let server = try BrokerProcess.start()
        let output = NSTemporaryDirectory() + "beanrow-bench-\(UUID())"
        defer { try? FileManager.default.removeItem(atPath: output) }
        let script = """
            # Without job control what runs in the background ignores SIGINT.
            set -m
            "$1" bench "$2" --jobs 10000000 >"$3" 2>&1 & bench=$!
            # It tells how far it has come once its jobs are under way.
            until grep -q ' put, ' "$3" || ! kill -0 "$bench"; do sleep 0.1; done
            kill -INT "$bench"
            wait "$bench"
            status=$?
            cat "$3"
            echo "exit $status"
            """
        let address = "127.0.0.1:\(server.port!)"
        let printed = try runProgram(
            "/bin/bash", ["-c", script, "bash", BrokerProcess.beanrowPath(), address, output], within: 90)
        #expect(printed.contains("beanrow bench: interrupted after "))
        #expect(printed.contains("; its jobs are deleted"))
        #expect(printed.hasSuffix("exit 1\n"))
        try expectEmpty(server)
    }

    @Test func aServerThatIsWrong() throws {
        for (fault, says) in [
            (FakeServer.Fault.put("INTERNAL_ERROR"), "unexpected reply to put: INTERNAL_ERROR"),
            (.put("BURIED 7"), "unexpected reply to put: BURIED 7"),
            (.doubled, "job 1 was delivered twice"),
            (.changed, "is corrupt"),
        ] {
            let server = try FakeServer.start(fault)
            let printed = try bench("127.0.0.1:\(server.port) --jobs 20 --producers 1 --workers 1")
            #expect(printed.contains("beanrow bench: "))
            #expect(printed.contains(says), "\(printed)")
            #expect(printed.hasSuffix("exit 1\n"))
        }
    }

    @Test(arguments: [
        ("localhost:11300", "write 127.0.0.1:11300"), ("127.0.0.1", "has no port"), ("--jobs 0", "--jobs takes"),
        ("--body 47", "--body takes"), ("--mode fast", "live or phase"), ("--keep", "--workers 0"),
        ("--tube mails", "--workers 0"), ("--cpu x", "LABEL=PID"), ("--vs-cpu x=1", "needs --vs"),
        ("--rounds 0", "--rounds takes"), ("--jobs many", "invalid"),
    ])
    func badInput(arguments: String, says: String) throws {
        let printed = try bench(arguments)
        #expect(printed.contains(says))
        #expect(printed.hasSuffix("exit 5\n"))
    }

    @Test func noServer() throws {
        let printed = try bench("127.0.0.1:1 --jobs 1")
        #expect(printed.contains("cannot connect to 127.0.0.1:1: "))
        #expect(printed.hasSuffix("exit 1\n"))
    }
}
