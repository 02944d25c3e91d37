import Testing

@testable import EmbeddedPostgres

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

@Suite struct LifecycleTests {
    @Test func keepsDataFromOneStartToTheNext() throws {
        try withDataDirectory { path in
            let first = try embedded(path).start()
            #expect(first.dataDirectory == path)
            try sql("CREATE TABLE kept AS SELECT 42 AS answer", first.connectionString)
            try first.stop()
            // pg_ctl waits until postmaster.pid is gone, which is a moment before the end of the process.
            try wait(for: "the end of the postmaster") { hasEnded(first.postmasterPID) }
            #expect(entries(of: path + "/socket").isEmpty)
            try first.stop()

            let second = try embedded(path).start()
            #expect(second.postmasterPID != first.postmasterPID)
            #expect(try sql("SELECT answer FROM kept", second.connectionString) == "42")
            try second.stop()
        }
    }

    @Test func isPrivateToItsOwner() throws {
        try withDataDirectory { path in
            let cluster = try embedded(path, settings: ["listen_addresses": "*", "work_mem": "5MB"]).start()
            for name in ["", "/cluster", "/socket"] { #expect(mode(path + name) == 0o700) }
            #expect(mode(path + "/postgres.log") == 0o600)
            #expect(mode(path + "/socket/.s.PGSQL.5432") == 0o700)
            if geteuid() == 0 { #expect(fileStatus(path + "/cluster")?.st_uid != 0) }

            func setting(_ name: String) throws -> String { try sql("SHOW \(name)", cluster.connectionString) }
            #expect(try setting("listen_addresses") == "")
            #expect(try setting("work_mem") == "5MB")
            #expect(try setting("max_connections") == "50")
            #expect(try setting("server_encoding") == "UTF8")
            let rules = "SELECT count(*) FROM pg_hba_file_rules WHERE type <> 'local'"
            #expect(try sql(rules, cluster.connectionString) == "0")
            let session = "SELECT current_user || '@' || current_database()"
            #expect(try sql(session, cluster.connectionString) == "beanrow@beanrow")
            try cluster.stop()
        }
    }

    #if os(Linux)
    @Test func holdsNothingOfTheBroker() throws {
        try withDataDirectory { path in
            // Not close-on-exec, as a careless library might leave it.
            var ends: [Int32] = [0, 0]
            try #require(pipe(&ends) == 0)
            let cluster = try embedded(path).start()

            // A Ctrl-C at a terminal reaches only the processes of its session.
            #expect(getsid(cluster.postmasterPID) != getsid(0))
            // Only the postmaster is checked: a program that another test has started meanwhile may have the pipe.
            var pipe = stat()
            try #require(fstat(ends[1], &pipe) == 0)
            let owner = try #require(fileStatus(path + "/cluster")).st_uid
            let files = ["ls", "-l", "/proc/\(cluster.postmasterPID)/fd"]
            let listing = try Command(as: Account(uid: owner) ?? .current, files).run()
            #expect(listing.status == 0)
            #expect(!listing.output.contains("pipe:[\(pipe.st_ino)]"), "the postmaster keeps the pipe open")
            for end in ends { close(end) }
            try cluster.stop()
        }
    }
    #endif

    @Test func putsTheSocketElsewhereWhenThePathIsTooLong() throws {
        try withDataDirectory { path in
            let long = path + "/" + String(repeating: "d", count: 100)
            let connectionString = try {
                let first = try embedded(long).start()
                try crash(first.postmasterPID)
                return first.connectionString
            }()
            #expect(connectionString.hasPrefix("host='/tmp/beanrow-"))

            let second = try embedded(long).start()
            #expect(second.connectionString == connectionString, "the directory is found again")
            #expect(try sql("SELECT 1", second.connectionString) == "1")
            let directory = try #require(second.connectionString.split(separator: "'").dropFirst().first)
            #expect(mode(String(directory)) == 0o700)
            try second.stop()
            #expect(fileStatus(String(directory)) == nil)
            #expect(fileStatus(long + "/socket") == nil)
        }
    }

    @Test(.enabled(if: geteuid() == 0, "only root chooses an account"))
    func runsAsTheAccountGivenAndThenAsTheOwner() throws {
        try withDataDirectory { path in
            let nobody = try #require(Account(name: "nobody"))
            try embedded(path, user: "nobody").start().stop()
            #expect(fileStatus(path + "/cluster")?.st_uid == nobody.uid)
            let again = try embedded(path).start()
            #expect(fileStatus("/proc/\(again.postmasterPID)")?.st_uid == nobody.uid)
            try again.stop()

            let error = try startError(embedded(path, user: "daemon"))
            #expect(error.description.contains("it belongs to nobody"))
        }
    }
}
