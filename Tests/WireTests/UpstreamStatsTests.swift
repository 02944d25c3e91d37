import TestKit
import Testing

/// Upstream's cases about the stats and list commands.
@Suite struct UpstreamStatsTests {
    private let client: WireClient

    init() throws {
        client = try BrokerProcess.start().connect()
    }

    @Test func omit_time_left() throws {
        try client.send("put 0 0 5 1\r\na\r\n")
        try client.expect("INSERTED 1")
        try client.send("stats-job 1\r\n")
        try client.expectOK().expect(["time-left": "0"])
    }

    @Test func delayed_to_ready() throws {
        // In one packet: a slow client would ask after the delay.
        try client.send("put 0 1 1 0\r\n\r\nstats-tube default\r\n")
        try client.expect("INSERTED 1")
        try client.expectOK().expect([
            "current-jobs-ready": "0", "current-jobs-delayed": "1", "total-jobs": "1",
        ])
        try eventually("the delay is over") {
            try client.send("stats-tube default\r\n")
            return try client.expectOK()["current-jobs-ready"] == "1"
        }
        try client.send("stats-tube default\r\n")
        try client.expectOK().expect([
            "current-jobs-ready": "1", "current-jobs-delayed": "0", "total-jobs": "1",
        ])
    }

    @Test func stats_tube() throws {
        try client.send("use tubea\r\n")
        try client.expect("USING tubea")
        try client.send("put 0 0 0 1\r\nx\r\n")
        try client.expect("INSERTED 1")
        try client.send("delete 1\r\n")
        try client.expect("DELETED")

        try client.send("stats-tube tubea\r\n")
        try client.expectOK().expect([
            "name": "tubea",
            "current-jobs-urgent": "0",
            "current-jobs-ready": "0",
            "current-jobs-reserved": "0",
            "current-jobs-delayed": "0",
            "current-jobs-buried": "0",
            "total-jobs": "1",
            "current-using": "1",
            "current-watching": "0",
            "current-waiting": "0",
            "cmd-delete": "1",
            "cmd-pause-tube": "0",
            "pause": "0",
            "pause-time-left": "0",
        ])
        try client.send("stats-tube default\r\n")
        try client.expectOK().expect([
            "name": "default",
            "current-jobs-urgent": "0",
            "current-jobs-ready": "0",
            "current-jobs-reserved": "0",
            "current-jobs-delayed": "0",
            "current-jobs-buried": "0",
            "total-jobs": "0",
            "current-using": "0",
            "current-watching": "1",
            "current-waiting": "0",
            "cmd-delete": "0",
            "cmd-pause-tube": "0",
            "pause": "0",
            "pause-time-left": "0",
        ])
    }

    @Test func list_tube() throws {
        try client.send("watch w\r\n")
        try client.expect("WATCHING 2")
        try client.send("use u\r\n")
        try client.expect("USING u")
        try client.send("list-tubes\r\n")
        #expect(try client.expectList() == ["default", "w", "u"])
        try client.send("list-tube-used\r\n")
        try client.expect("USING u")
        try client.send("list-tubes-watched\r\n")
        #expect(try client.expectList() == ["default", "w"])
        try client.send("ignore default\r\n")
        try client.expect("WATCHING 1")
        try client.send("list-tubes-watched\r\n")
        #expect(try client.expectList() == ["w"])
        try client.send("ignore w\r\n")
        try client.expect("NOT_IGNORED")
    }
}
