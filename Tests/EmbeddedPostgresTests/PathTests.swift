import Testing

@testable import EmbeddedPostgres

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// Paths of data directories: links, missing names, and what is refused.
@Suite struct PathTests {
    @Test func followsLinksOfTheOperator() throws {
        try withDataDirectory { path in
            try makeDirectory(path, mode: 0o755)
            try makeDirectory(path + "/disk", mode: 0o755)
            // Links to links, one of them relative. The last name does not exist yet.
            try #require(symlink("disk", path + "/second") == 0)
            try #require(symlink(path + "/second/queue", path + "/first") == 0)
            let cluster = try embedded(path + "/first").start()
            #expect(cluster.dataDirectory == path + "/disk/queue")
            #expect(mode(path + "/disk/queue") == 0o700)
            #expect(try sql("SELECT 1", cluster.connectionString) == "1")
            #expect(
                try startError(embedded(path + "/disk/queue"))
                    == .inUse(dataDirectory: path + "/disk/queue", pid: getpid()), "the same by another name")
            try cluster.stop()
            try embedded(path + "/second/./../disk/queue//").start().stop()
            #expect(fileStatus(path + "/first").map { $0.st_mode & S_IFMT } == S_IFLNK)
        }
    }

    @Test func reportsPathsThatLeadNowhere() throws {
        try withDataDirectory { path in
            try makeDirectory(path, mode: 0o755)
            try #require(symlink("b", path + "/a") == 0 && symlink("a", path + "/b") == 0)
            #expect(try startError(embedded(path + "/a")).description.contains("symbolic links"))
            #expect(try startError(embedded(path + "/missing/../c")).description.contains("No such file"))
            try #require(symlink("/dev/null", path + "/null") == 0)
            #expect(try startError(embedded(path + "/null")).description.contains("it is not a directory"))
            try #require(symlink("$HOME", path + "/dollar") == 0)
            #expect(try startError(embedded(path + "/dollar")).description.contains("dollar sign"))
        }
    }
}
