import Testing

@testable import EmbeddedPostgres

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// A broker that is root works below a directory of another account, which may put anything there. Whatever it puts
/// there, no file elsewhere is written, given away or removed (docs/ARCHITECTURE.md, Root).
@Suite("Root in a directory of another", .enabled(if: geteuid() == 0, "only root has more rights than the account"))
struct PrivilegeTests {
    /// A directory and files that belong to root.
    private struct Victim {
        let path: String
        let file: String

        init(beside data: String) throws {
            path = parent(of: data) + "/victim"
            file = path + "/file"
            try makeDirectory(path, mode: 0o755)
            try makeDirectory(path + "/empty", mode: 0o755)
            try writeFile(file, "4711\n")
            chmod(file, 0o644)
        }

        /// Names, kinds, owners, modes, sizes and contents: all that root could have changed.
        func state() throws -> String {
            let find = ["find", path, "-printf", "%p %y %U %G %m %s %n %T@\n", "-type", "f", "-exec", "cat", "{}", ";"]
            return try Command(as: .current, find).run().output
        }
    }

    /// Replaces each file that a broker uses by a link while no PostgreSQL runs, starts, and puts the file back.
    @Test(arguments: [
        "cluster", "socket", "postgres.log", "postgres.log.1", "cluster/beanrow.conf", "cluster/PG_VERSION",
    ])
    func aStartFollowsNoLink(name: String) throws {
        try withCluster { path in
            let victim = try Victim(beside: path)
            let before = try victim.state()
            for target in [victim.path, victim.file, victim.path + "/new"] {
                let place = path + "/" + name
                let hadOne = rename(place, place + ".away") == 0
                try #require(symlink(target, place) == 0)
                do {
                    try embedded(path).start().stop()
                } catch {
                    let text = "\(error)"
                    let saysWhatToDo = ["fix ", "put ", "install", "choose"].contains { text.contains($0) }
                    #expect(saysWhatToDo, "\(text)")
                }
                #expect(try victim.state() == before, "\(name) -> \(target)")
                if fileStatus(place).map(isDirectory) ?? false {
                    _ = rename(place, place + ".made")
                } else {
                    unlink(place)
                }
                if hadOne { rename(place + ".away", place) }
            }
            try embedded(path).start().stop()
        }
    }

    /// The cluster is replaced by a link while PostgreSQL runs, and PostgreSQL then ends.
    @Test func aRestartFollowsNoLink() throws {
        try withCluster { path in
            let running = try embedded(path).start()
            let victim = try Victim(beside: path)
            let before = try victim.state()
            let real = path + "/c2"
            try #require(rename(path + "/cluster", real) == 0 && symlink(victim.path, path + "/cluster") == 0)
            try crash(running.postmasterPID)
            let error = try #require(throws: EmbeddedPostgresError.self) { try running.restartIfEnded() }
            #expect(
                error.description.contains(
                    "Cannot write \(path)/cluster/beanrow.conf: Permission denied; fix that"))
            #expect(try victim.state() == before)
            try #require(unlink(path + "/cluster") == 0 && rename(real, path + "/cluster") == 0)
            #expect(try running.restartIfEnded())
            try running.stop()
        }
    }

    @Test func theLockFileMayNotBeALink() throws {
        try withCluster { path in
            let victim = try Victim(beside: path)
            let before = try victim.state()
            unlink(path + "/lock")
            try #require(symlink(victim.file, path + "/lock") == 0)
            #expect(try startError(embedded(path)).description.contains("Cannot open \(path)/lock"))
            #expect(try victim.state() == before)
        }
    }

    /// Where the system allows it, any user can make a hard link to any file.
    @Test(arguments: ["lock", "postgres.log", "cluster/beanrow.conf", "cluster/postmaster.pid"])
    func hardLinksGiveNoRights(name: String) throws {
        try withCluster { path in
            let victim = try Victim(beside: path)
            chmod(victim.file, 0o600)
            let place = path + "/" + name
            unlink(place)
            try #require(link(victim.file, place) == 0)
            let before = try victim.state()
            let error = try? startError(embedded(path))
            #expect(try victim.state() == before, "\(name): \(error.map { "\($0)" } ?? "it started")")
        }
    }

    /// The directory itself is where its account may put links.
    @Test func nothingIsMadeOrGivenAwayWhereALinkOfAnotherLeads() throws {
        try withDataDirectory { path in
            let account = try Account.choose(user: nil, owner: nil)
            try makeDirectory(path, mode: 0o755)
            try #require(chown(path, account.uid, account.gid) == 0)
            let victim = try Victim(beside: path)
            let before = try victim.state()
            try #require(symlink(victim.path, path + "/link") == 0)
            try #require(lchown(path + "/link", account.uid, account.gid) == 0)
            for name in ["link/empty", "link/new", "link/new/data", "link/../link/empty/."] {
                let error = try startError(embedded(path + "/" + name))
                #expect(error.description.contains("where a link of \(account.name) leads"), "\(error)")
                #expect(error.description.contains("name the directory itself"))
            }
            #expect(try victim.state() == before)
            // Where root's rights are not needed, the link may be used.
            try makeDirectory(path + "/real", mode: 0o700)
            try give(path + "/real", to: account)
            try #require(symlink(path + "/real", path + "/own") == 0)
            try #require(lchown(path + "/own", account.uid, account.gid) == 0)
            try writeFile(path + "/real/lock", "", as: account)
            let cluster = try embedded(path + "/own").start()
            #expect(cluster.dataDirectory == path + "/real")
            try cluster.stop()
        }
    }

    /// The lock file of a beanstalkd that root ran, in a folder of root or of another user, is used and not changed.
    @Test(arguments: ["root", "nobody"])
    func aLockThatBeanstalkdHasLeftAsRoot(owner: String) throws {
        try withDataDirectory { path in
            try makeDirectory(path, mode: 0o755)
            try give(path, to: #require(Account(name: owner)))
            try writeFile(path + "/lock", "")
            try writeFile(path + "/binlog.1", "")
            let first = try embedded(path).start()
            #expect(try startError(embedded(path)).description.contains("Another broker"))
            try first.stop()
            #expect(fileStatus(path + "/lock")?.st_uid == 0)
            #expect(fileStatus(path + "/binlog.1")?.st_uid == 0)
        }
    }

    /// Reading a pipe would wait until somebody writes to it.
    @Test func doesNotWaitForAPipe() throws {
        try withCluster { path in
            let directory = try DataDirectory(preparing: path, user: nil)
            for name in ["cluster/beanrow.conf", "cluster/postmaster.pid", "lock"] {
                let place = path + "/" + name
                unlink(place)
                try #require(mkfifo(place, 0o600) == 0)
                chown(place, directory.account.uid, directory.account.gid)
            }
            #expect(try Postmaster.find(in: directory) == nil)
            #expect(try startError(embedded(path)).description.contains("it is not a file of"))
            unlink(path + "/lock")
            #expect(try startError(embedded(path)).description.contains("write \(path)/cluster/beanrow.conf"))
        }
    }

    /// Only the thread that runs the body loses its rights.
    @Test func rightsChangeOnOneThreadOnly() throws {
        let account = try Account.choose(user: nil, owner: nil)
        try withDataDirectory { path in
            try writeFile(path, "secret")
            chmod(path, 0o640)
            try account.withFileRights {
                #expect(readFile(path) == "")
                #expect(geteuid() == 0)
                // The mode allows the group root, but the account is not in it.
                #expect(open(path, O_RDONLY) < 0)
            }
            #expect(readFile(path) == "secret")
            #expect(throws: EmbeddedPostgresError.cancelled) {
                try account.withFileRights { throw EmbeddedPostgresError.cancelled }
            }
            #expect(readFile(path) == "secret")
        }
    }
}
