import Foundation
import TestKit
import Testing

/// The embedded PostgreSQL does not depend on how the broker was started: groups, umask, environment, directory.
@Suite("Surroundings", .enabled(if: geteuid() == 0, "only root can be somebody else"))
struct SurroundingsTests {
    /// Serves twice on the same folder, and ends in order.
    private func lives(_ place: EmbeddedPlace, _ launcher: [String], options: [String] = []) throws {
        for _ in 1...2 {
            let broker = try place.broker(launcher, options: options)
            try broker.takesAPut()
            #expect(try broker.stop() == 0)
        }
        let owner = try #require(look(place.dataDirectory + "/cluster")).st_uid
        for name in ["", "/lock", "/socket", "/postgres.log", "/cluster/beanrow.conf", "/cluster/pg_hba.conf"] {
            let status = try #require(look(place.dataDirectory + name))
            #expect(status.st_uid == owner, "\(name)")
            #expect(status.st_mode & 0o077 == 0, "\(name) is open to others")
        }
    }

    private func look(_ path: String) -> stat? {
        var status = stat()
        return lstat(path, &status) == 0 ? status : nil
    }

    private var postgres: (user: uid_t, group: gid_t) {
        let entry = getpwnam("postgres")!.pointee
        return (entry.pw_uid, entry.pw_gid)
    }

    /// `sg`, systemd's `Group=`: the process is not even a member of the account's own group.
    @Test func anotherPrimaryGroup() throws {
        let place = try EmbeddedPlace(owner: postgres.user)
        try lives(place, ["setpriv", "--reuid=\(postgres.user)", "--regid=1", "--clear-groups"])
        #expect(look(place.dataDirectory + "/cluster")?.st_uid == postgres.user)
        // Then again as before.
        try lives(place, ["setpriv", "--reuid=\(postgres.user)", "--regid=\(postgres.group)", "--clear-groups"])
        try lives(place, [])
    }

    @Test func rootWithAnotherGroup() throws {
        let place = try EmbeddedPlace()
        try lives(place, ["setpriv", "--regid=1", "--groups=1,2"])
        #expect(look(place.dataDirectory + "/cluster")?.st_gid == postgres.group)
        try lives(place, [], options: ["-u", "postgres"])
    }

    @Test(arguments: ["000", "077", "777"])
    func anyUmask(mask: String) throws {
        let launcher = ["sh", "-c", "umask \(mask) && exec \"$@\"", "sh"]
        try lives(EmbeddedPlace(), launcher)
        try lives(
            EmbeddedPlace(owner: postgres.user),
            ["setpriv", "--reuid=\(postgres.user)", "--regid=\(postgres.group)", "--clear-groups"] + launcher)
    }

    @Test func anEmptyEnvironment() throws {
        try lives(EmbeddedPlace(), ["-i"])
    }

    /// A directory that the account may not enter, and one that was removed.
    @Test func anyDirectory() throws {
        let place = try EmbeddedPlace()
        let closed = place.path + "/closed"
        try FileManager.default.createDirectory(atPath: closed, withIntermediateDirectories: false)
        chmod(closed, 0o700)
        try lives(place, ["--chdir=\(closed)"])
        try lives(place, ["sh", "-c", "mkdir -p \(closed) && cd \(closed) && rmdir \(closed) && exec \"$@\"", "sh"])
    }
}
