import Testing

@testable import EmbeddedPostgres

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

@Suite struct RecoveryTests {
    @Test func recoversAfterEverythingWasKilled() throws {
        try withCluster { path in
            var killed: RunningCluster? = try embedded(path).start()
            let pid = try #require(killed?.postmasterPID)
            try sql("CREATE TABLE kept AS SELECT 42 AS answer", #require(killed?.connectionString))
            try crash(pid)
            killed = nil

            // Started at once, while sessions of the killed server may still be ending.
            let recovered = try embedded(path).start()
            #expect(recovered.postmasterPID != pid)
            #expect(try sql("SELECT answer FROM kept", recovered.connectionString) == "42")
            try recovered.stop()
        }
    }

    @Test func waitsForTheSessionsOfAKilledServer() throws {
        try withCluster { path in
            var killed: RunningCluster? = try embedded(path).start()
            let pid = try #require(killed?.postmasterPID)
            let connectionString = try #require(killed?.connectionString)
            // Busy for 2 s at a time, during which the session does not check whether its postmaster is alive.
            let busy = """
                DO $$ DECLARE until timestamptz := clock_timestamp() + interval '2 s'; \
                BEGIN WHILE clock_timestamp() < until LOOP END LOOP; END $$
                """
            let statements = Array(repeating: ["-c", busy], count: 30).flatMap { $0 }
            let session = try Background(["psql", "-X", "-q", "-d", connectionString] + statements)
            defer { session.end() }
            let isBusy = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'DO %' AND state = 'active'"
            try wait(for: "the session") { try sql(isBusy, connectionString) == "1" }
            try crash(pid)
            killed = nil

            let next = try embedded(path).start()
            #expect(try sql("SELECT 1", next.connectionString) == "1")
            try next.stop()
        }
    }

    #if os(Linux)
    @Test func ignoresAReusedPid() throws {
        try withCluster { path in
            let first = try embedded(path).start()
            let pidFile = path + "/cluster/postmaster.pid"
            let text = readFile(pidFile)
            try first.stop()
            // The file as PostgreSQL has left it, with the pid of another process that PostgreSQL may signal.
            let account = fileStatus(path + "/cluster").flatMap { Account(uid: $0.st_uid) } ?? .current
            let sleeper = try Background(account.running(["sleep", "60"]))
            defer { sleeper.end() }
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false).dropFirst()
            try writeFile(pidFile, "\(sleeper.pid)\n" + lines.joined(separator: "\n"), as: account)

            let second = try embedded(path).start()
            #expect(second.postmasterPID != sleeper.pid)
            #expect(try sql("SELECT 1", second.connectionString) == "1")
            try second.stop()
        }
    }
    #endif

    @Test func takesOverTheServerOfAKilledBroker() throws {
        try withCluster { path in
            var left: RunningCluster? = try embedded(path).start()
            let pid = try #require(left?.postmasterPID)
            let connectionString = left?.connectionString
            left = nil

            let found = try embedded(path).start()
            #expect(found.postmasterPID == pid)
            #expect(found.connectionString == connectionString)
            #expect(try sql("SELECT 1", found.connectionString) == "1")
            try found.stop()
            try wait(for: "the end of the postmaster") { hasEnded(pid) }
        }
    }

    @Test func beginsAgainAfterAnInterruptedInitdb() throws {
        try withDataDirectory { path in
            let half = path + "/cluster.new-Ab12Cd"
            let account = try Account.choose(user: nil, owner: nil)
            for directory in [path, half] {
                try makeDirectory(directory, mode: 0o700)
                try give(directory, to: account)
            }
            try writeFile(path + "/lock", "1\n", as: account)
            try writeFile(half + "/PG_VERSION", "15\n", as: account)
            let cluster = try embedded(path).start()
            #expect(fileStatus(half) == nil)
            #expect(try sql("SELECT 1", cluster.connectionString) == "1")
            try cluster.stop()
        }
    }
}
