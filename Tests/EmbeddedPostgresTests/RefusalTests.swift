import Testing

@testable import EmbeddedPostgres

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

@Suite struct RefusalTests {
    @Test func refusesASecondBroker() throws {
        try withCluster { path in
            let cluster = try embedded(path).start()
            let error = try startError(embedded(path))
            #expect(error == .inUse(dataDirectory: path, pid: getpid()))
            #expect(error.description.contains("(pid \(getpid()))"))
            #expect(try sql("SELECT 1", cluster.connectionString) == "1", "the refused one did no harm")
            try cluster.stop()
        }
    }

    #if os(Linux)
    /// Between fork and exec a program has copies of all descriptors, including those that are close-on-exec.
    @Test func aCopiedDescriptorDoesNotKeepTheLock() throws {
        try withCluster { path in
            let first = try embedded(path).start()
            let copies = entries(of: "/proc/self/fd").compactMap { Int32($0) }
                .filter { linkTarget("/proc/self/fd/\($0)") == path + "/lock" }.map { dup($0) }
            defer { for copy in copies { close(copy) } }
            #expect(copies.count == 1)
            try first.stop()
            let second = try embedded(path).start()
            try second.stop()
        }
    }

    private func linkTarget(_ path: String) -> String {
        var target = [CChar](repeating: 0, count: 4096)
        let count = readlink(path, &target, target.count - 1)
        return String(decoding: target.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
    #endif

    @Test(.enabled(if: geteuid() == 0, "only root runs PostgreSQL as somebody else"))
    func namesADirectoryThatTheAccountMayNotPass() throws {
        try withDataDirectory { path in
            try makeDirectory(path, mode: 0o755)
            try makeDirectory(path + "/closed", mode: 0o700)
            try makeDirectory(path + "/closed/open", mode: 0o755)
            let error = try startError(embedded(path + "/closed/open/data", user: "nobody"))
            #expect(error == .unreachable(directory: path + "/closed", account: "nobody"))
            #expect(entries(of: path + "/closed/open").isEmpty)
        }
    }

    @Test func leavesAForeignDirectoryAlone() throws {
        try withDataDirectory { path in
            try makeDirectory(path, mode: 0o755)
            try writeFile(path + "/letter.txt", "Dear ...", as: .current)
            let error = try startError(embedded(path))
            #expect(error.description.contains("it holds other files"))
            #expect(mode(path) == 0o755)
            #expect(fileStatus(path)?.st_uid == geteuid())

            let file = try startError(embedded(path + "/letter.txt"))
            #expect(file.description.contains("it is not a directory"))
            let quoted = try startError(embedded(path + "/$HOME"))
            #expect(quoted.description.contains("dollar sign"))
        }
    }

    @Test func takesAFolderOfBeanstalkdAndLeavesItsFiles() throws {
        try withDataDirectory { path in
            // A copy of such a folder, without its lock. For root it belongs to another user.
            let owner = try geteuid() == 0 ? #require(Account(name: "nobody")) : .current
            try makeDirectory(path, mode: 0o755)
            try give(path, to: owner)
            try writeFile(path + "/binlog.17", "jobs", as: owner)
            chmod(path + "/binlog.17", 0o400)
            try embedded(path).start().stop()
            #expect(readFile(path + "/binlog.17") == "jobs")
            #expect(mode(path + "/binlog.17") == 0o400)
            #expect(fileStatus(path + "/binlog.17")?.st_uid == owner.uid)
            #expect(fileStatus(path + "/cluster")?.st_uid == owner.uid)
        }
    }

    @Test func asksForTheVersionThatMadeTheCluster() throws {
        try withDataDirectory { path in
            try makeDirectory(path, mode: 0o700)
            try makeDirectory(path + "/cluster", mode: 0o700)
            let account = try Account.choose(user: nil, owner: nil)
            try give(path, to: account)
            try give(path + "/cluster", to: account)
            try writeFile(path + "/cluster/PG_VERSION", "7\n", as: account)
            let error = try startError(embedded(path))
            #expect(error == .programsNotFound(major: 7))
            #expect(error.description.contains("apt install postgresql-7"))
        }
    }

    @Test func refusesAccountsThatCannotRunPostgreSQL() throws {
        try withDataDirectory { path in
            let unknown = try startError(embedded(path, user: "no-such-account"))
            #expect(unknown.description.contains("there is no such account"))
            guard geteuid() == 0 else { return }
            let root = try startError(embedded(path, user: "root"))
            #expect(root.description.contains("it refuses to"))
        }
    }

    @Test func tellsWhyPostgreSQLDidNotStart() throws {
        try withDataDirectory { path in
            let error = try startError(embedded(path, settings: ["shared_buffers": "a lot"]))
            guard case .startFailed(let reason, let log) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(reason.contains("FATAL:"))
            #expect(readFile(log).contains("shared_buffers"))
            // The lock is released, and the cluster can be used.
            try embedded(path).start().stop()
        }
    }
}
