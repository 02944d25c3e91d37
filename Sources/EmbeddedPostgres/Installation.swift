#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// One installation of PostgreSQL's server programs.
struct Installation: Equatable, Sendable {
    /// Where `initdb`, `pg_ctl` and `postgres` are.
    let directory: String
    let major: Int

    /// The places where distributions put the programs outside of `PATH`.
    private static let usualPlaces = [
        "/usr/lib/postgresql/*/bin",  // Debian, Ubuntu
        "/usr/pgsql-*/bin",  // PostgreSQL's own RPMs
        "/usr/libexec/postgresql*",  // Alpine
        "/usr/local/pgsql/bin",  // from source
        "/opt/homebrew/opt/postgresql*/bin",
        "/usr/local/opt/postgresql*/bin",
    ]

    func program(_ name: String) -> String { directory + "/" + name }

    /// The installation to use: the first in `PATH`, else the newest in the usual places.
    /// - Parameters:
    ///   - major: Accepts only this major version, if given.
    ///   - account: The programs are run as this account only: they may belong to it.
    /// - Returns: The first installation that fits.
    /// - Throws: `EmbeddedPostgresError.programsNotFound`.
    static func find(major: Int?, as account: Account) throws -> Installation {
        let path = getenv("PATH").map { String(cString: $0) } ?? ""
        let inPath = path.split(separator: ":").map(String.init)
        let elsewhere = usualPlaces.flatMap(expand).sorted { number(in: $0) > number(in: $1) }
        for directory in inPath + elsewhere {
            // PATH may hold links into several installations. The real path of `initdb` decides.
            guard let initdb = realpath(directory + "/initdb", nil) else { continue }
            defer { free(initdb) }
            if let found = Installation(directory: parent(of: String(cString: initdb)), as: account),
                major == nil || found.major == major
            {
                return found
            }
        }
        throw EmbeddedPostgresError.programsNotFound(major: major)
    }

    /// `nil` unless all programs exist and `postgres` reports its version.
    private init?(directory: String, as account: Account) {
        let programs = ["initdb", "pg_ctl", "postgres"].map { directory + "/" + $0 }
        guard programs.allSatisfy({ access($0, X_OK) == 0 }),
            let result = try? Command(as: account, [directory + "/postgres", "--version"]).run(),
            result.status == 0, let major = Self.major(ofVersion: result.output)
        else { return nil }
        self.directory = directory
        self.major = major
    }

    /// The major version, for example 15 from `postgres (PostgreSQL) 15.13 (Debian 15.13-0+deb12u1)`.
    static func major(ofVersion text: String) -> Int? {
        text.split(separator: ")", maxSplits: 1).last.flatMap { Int($0.drop { $0 == " " }.prefix { $0.isNumber }) }
    }

    /// The major version in a path such as `/usr/lib/postgresql/15/bin`, 0 when it has none.
    private static func number(in path: String) -> Int {
        path.split { !$0.isNumber }.last.flatMap { Int($0) } ?? 0
    }

    private static func expand(_ pattern: String) -> [String] {
        var found = glob_t()
        defer { globfree(&found) }
        guard glob(pattern, 0, nil, &found) == 0 else { return [] }
        return (0..<Int(found.gl_pathc)).compactMap { index in found.gl_pathv[index].map { String(cString: $0) } }
    }
}
