import Testing

@testable import EmbeddedPostgres

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// A broker that is root works below a directory of somebody else's, who may put there what they like: whatever that
/// is, nothing elsewhere is written, given away or removed.
@Suite("Root in a directory of another", .enabled(if: geteuid() == 0, "only root has more rights than the account"))
struct PrivilegeTests {
    /// A place that is root's alone, and what is in it.
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

        /// Names, kinds, owners, modes, sizes, contents: whatever root could have done to it shows.
        func state() throws -> String {
            let find = ["find", path, "-printf", "%p %y %U %G %m %s %n %T@\n", "-type", "f", "-exec", "cat", "{}", ";"]
            return try Command(as: .current, find).run().output
        }
    }

    /// Everything that a broker uses, replaced while no PostgreSQL runs; then a start, and the way back.
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
                    let saysWhatToDo = ["put ", "install", "choose"].contains { text.contains($0) }
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

    /// The one of the report: the cluster is swapped while PostgreSQL runs, which then ends.
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
                    "Cannot write \(path)/cluster/beanrow.conf: Permission denied; put that right"))
            #expect(try victim.state() == before)
            try #require(unlink(path + "/cluster") == 0 && rename(real, path + "/cluster") == 0)
            #expect(try running.restartIfEnded())
            try running.stop()
        }
    }

    @Test func theClaimIsNoLink() throws {
        try withCluster { path in
            let victim = try Victim(beside: path)
            let before = try victim.state()
            unlink(path + "/lock")
            try #require(symlink(victim.file, path + "/lock") == 0)
            #expect(try startError(embedded(path)).description.contains("Cannot open \(path)/lock"))
            #expect(try victim.state() == before)
        }
    }

    /// Where the system allows it, anybody can give any file a second name.
    @Test(arguments: ["lock", "postgres.log", "cluster/beanrow.conf", "cluster/postmaster.pid"])
    func aSecondNameOfAFileIsNoRightToIt(name: String) throws {
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

    /// The directory itself lies where its account may put links.
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
            // Where nothing needs root's rights the link is as good as its target.
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

    /// beanstalkd run by root, in a folder that is root's or not: its lock is used and left alone.
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

    /// A pipe has no end before somebody writes into it.
    @Test func aPipeIsNotWaitedFor() throws {
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

    /// What one thread may not, the others go on to.
    @Test func theRightsOfOneThreadAreItsOwn() throws {
        let account = try Account.choose(user: nil, owner: nil)
        try withDataDirectory { path in
            try writeFile(path, "secret")
            chmod(path, 0o640)
            try account.doing {
                #expect(readFile(path) == "")
                #expect(geteuid() == 0)
                // Even with the group of root: it is not the account's.
                #expect(open(path, O_RDONLY) < 0)
            }
            #expect(readFile(path) == "secret")
            #expect(throws: EmbeddedPostgresError.cancelled) {
                try account.doing { throw EmbeddedPostgresError.cancelled }
            }
            #expect(readFile(path) == "secret")
        }
    }
}
