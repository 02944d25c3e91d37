import Foundation
import TestKit
import Testing

/// The bodies of the stats and list replies.
@Suite struct StatsTests {
    private let server: BrokerProcess
    private let client: WireClient

    init() throws {
        server = try BrokerProcess.start()
        client = try server.connect()
    }

    @Test func keysAndTheirOrder() throws {
        try client.send("stats\r\n")
        let ours = Server.current == .beanrow ? ["beanrow-version"] : []
        #expect(try client.expectOK().keys == serverKeys + ours)
        try client.send("stats-tube default\r\n")
        #expect(try client.expectOK().keys == tubeKeys)
        try client.send("put 0 0 100 1\r\na\r\nstats-job 1\r\n")
        try client.expect("INSERTED 1")
        #expect(try client.expectOK().keys == jobKeys)
    }

    /// Read line by line, as many clients do.
    @Test func namesAreBare() throws {
        try client.send("put 0 0 100 1\r\na\r\nstats-job 1\r\nstats-tube default\r\n")
        try client.expect("INSERTED 1")
        #expect(try client.expectOK().raw["tube"] == "default")
        #expect(try client.expectOK().raw["name"] == "default")
    }

    @Test(.beanrowOnly, arguments: ["1.5", "null", "true", "0x10", "1e3"])
    func namesThatYAMLTakesForSomethingElseAreQuoted(name: String) throws {
        try client.send("use \(name)\r\nput 0 0 100 1\r\na\r\nstats-job 1\r\nstats-tube \(name)\r\nlist-tubes\r\n")
        try client.expect("USING \(name)")
        try client.expect("INSERTED 1")
        #expect(try client.expectOK().raw["tube"] == "\"\(name)\"")
        #expect(try client.expectOK().raw["name"] == "\"\(name)\"")
        #expect(try client.expectList() == ["default", name])
    }

    /// Clients use the version to find out whether `kick-job` exists, for example.
    @Test(.beanrowOnly) func theVersionIsTheProtocols() throws {
        try client.send("stats\r\n")
        let stats = try client.expectOK()
        #expect(stats.raw["version"] == "\"1.13\"")
        #expect(stats.raw["beanrow-version"] == "\"0.1.0\"")
        #expect(stats.keys.last == "beanrow-version")
    }

    @Test func formatsOfTheServersValues() throws {
        try client.send("stats\r\n")
        let stats = try client.expectOK()
        try stats.expect(["pid": "\(server.pid)", "max-job-size": "65535", "draining": "false"])
        let id = try #require(stats["id"])
        #expect(id.count == 16 && id.allSatisfy { $0.isHexDigit && !$0.isUppercase })
        // Beanrow's is never a number.
        #expect(Server.current == .beanstalkd || id.first!.isLetter)
        for key in ["rusage-utime", "rusage-stime"] {
            let parts = try #require(stats[key]).split(separator: ".")
            #expect(parts.count == 2 && parts[1].count == 6 && parts.allSatisfy { Int($0) != nil })
        }
        for key in stats.keys where key.hasPrefix("cmd-") || key.hasPrefix("current-") || key.hasPrefix("binlog-") {
            _ = try stats.number(key)
        }
    }

    @Test func eachWellFormedCommandIsCounted() throws {
        try client.send("put 0 0 100 1\r\na\r\nput 0 0 100 1\r\nabcput x\r\nreserve\r\nrelease 9 0 0\r\nbury 9 0\r\n")
        for line in ["INSERTED 1", "EXPECTED_CRLF", "BAD_FORMAT", "RESERVED 1 1", "a", "NOT_FOUND", "NOT_FOUND"] {
            try client.expect(line)
        }
        try client.send("touch 9\r\ntouch x\r\npeek 9\r\nkick 1\r\ndelete 9\r\nreserve-with-timeout 0\r\nstats\r\n")
        for line in ["NOT_FOUND", "BAD_FORMAT", "NOT_FOUND", "KICKED 0", "NOT_FOUND", "TIMED_OUT"] {
            try client.expect(line)
        }
        try client.expectOK().expect([
            "cmd-put": "2", "cmd-reserve": "1", "cmd-reserve-with-timeout": "1", "cmd-release": "1", "cmd-bury": "1",
            "cmd-touch": "1", "cmd-peek": "1", "cmd-kick": "1", "cmd-delete": "1", "cmd-stats": "1",
            "total-jobs": "1", "current-jobs-reserved": "1", "current-jobs-urgent": "0", "current-tubes": "1",
            "current-producers": "1", "current-workers": "1", "current-waiting": "0", "current-connections": "1",
        ])
    }

    @Test func urgentIsBelow1024() throws {
        try client.send("put 1023 0 100 1\r\na\r\nput 1024 0 100 1\r\na\r\nstats-tube default\r\n")
        try client.expect("INSERTED 1")
        try client.expect("INSERTED 2")
        try client.expectOK().expect(["current-jobs-urgent": "1", "current-jobs-ready": "2"])
    }

    @Test func statsOfADelayedJob() throws {
        try client.send("put 4294967295 1000 77 3\r\nabc\r\nstats-job 1\r\n")
        try client.expect("INSERTED 1")
        let stats = try client.expectOK()
        try stats.expect([
            "id": "1", "tube": "default", "state": "delayed", "pri": "4294967295", "delay": "1000", "ttr": "77",
            "reserves": "0", "timeouts": "0", "releases": "0", "buries": "0", "kicks": "0",
        ])
        #expect((900...1000).contains(try stats.number("time-left")))
    }

    @Test func listTubesFillsAHoleWithTheLast() throws {
        try client.send("watch t0\r\nwatch t1\r\nwatch t2\r\nwatch t3\r\nlist-tubes\r\n")
        for count in 2...5 {
            try client.expect("WATCHING \(count)")
        }
        #expect(try client.expectList() == ["default", "t0", "t1", "t2", "t3"])
        try client.send("ignore t0\r\nlist-tubes\r\nlist-tubes-watched\r\n")
        try client.expect("WATCHING 4")
        #expect(try client.expectList() == ["default", "t3", "t1", "t2"])
        #expect(try client.expectList() == ["default", "t3", "t1", "t2"])
    }

    @Test func aTubeLivesAsLongAsSomethingHoldsIt() throws {
        let other = try server.connect()
        try other.send("use t\r\nput 0 0 100 1\r\na\r\npause-tube t 1000\r\nuse default\r\n")
        for line in ["USING t", "INSERTED 1", "PAUSED", "USING default"] {
            try other.expect(line)
        }
        // The tube exists because it has a job.
        try client.send("stats-tube t\r\n")
        try client.expectOK().expect(["current-using": "0", "total-jobs": "1", "pause": "1000"])
        try client.send("delete 1\r\nstats-tube t\r\npause-tube t 1\r\nlist-tubes\r\n")
        try client.expect("DELETED")
        try client.expect("NOT_FOUND")
        try client.expect("NOT_FOUND")
        #expect(try client.expectList() == ["default"])
        // The new tube has none of the old counters.
        try client.send("use t\r\nstats-tube t\r\n")
        try client.expect("USING t")
        try client.expectOK().expect(["total-jobs": "0", "pause": "0", "cmd-pause-tube": "0"])
        // The end of a connection releases its job.
        try other.send("watch w\r\nuse u\r\n")
        try other.expect("WATCHING 2")
        try other.expect("USING u")
        other.close()
        try eventually("the tubes are gone") {
            try client.send("list-tubes\r\n")
            return try client.expectList() == ["default", "t"]
        }
    }

    @Test func listsAreYAMLToTheByte() throws {
        try client.send("watch w\r\nlist-tubes-watched\r\n")
        for line in ["WATCHING 2", "OK 18", "---\n- default\n- w\n"] {
            try client.expect(line)
        }
    }
}

private let serverKeys = [
    "current-jobs-urgent", "current-jobs-ready", "current-jobs-reserved", "current-jobs-delayed", "current-jobs-buried",
    "cmd-put", "cmd-peek", "cmd-peek-ready", "cmd-peek-delayed", "cmd-peek-buried", "cmd-reserve",
    "cmd-reserve-with-timeout", "cmd-delete", "cmd-release", "cmd-use", "cmd-watch", "cmd-ignore", "cmd-bury",
    "cmd-kick", "cmd-touch", "cmd-stats", "cmd-stats-job", "cmd-stats-tube", "cmd-list-tubes", "cmd-list-tube-used",
    "cmd-list-tubes-watched", "cmd-pause-tube", "job-timeouts", "total-jobs", "max-job-size", "current-tubes",
    "current-connections", "current-producers", "current-workers", "current-waiting", "total-connections", "pid",
    "version", "rusage-utime", "rusage-stime", "uptime", "binlog-oldest-index", "binlog-current-index",
    "binlog-records-migrated", "binlog-records-written", "binlog-max-size", "draining", "id", "hostname", "os",
    "platform",
]

private let tubeKeys = [
    "name", "current-jobs-urgent", "current-jobs-ready", "current-jobs-reserved", "current-jobs-delayed",
    "current-jobs-buried", "total-jobs", "current-using", "current-watching", "current-waiting", "cmd-delete",
    "cmd-pause-tube", "pause", "pause-time-left",
]

private let jobKeys = [
    "id", "tube", "state", "pri", "age", "delay", "ttr", "time-left", "file", "reserves", "timeouts", "releases",
    "buries", "kicks",
]
