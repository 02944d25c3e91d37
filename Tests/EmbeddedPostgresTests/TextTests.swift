import Testing

@testable import EmbeddedPostgres

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

@Suite struct TextTests {
    @Test func quotesTheConnectionString() {
        let text = Configuration.connectionString(socketDirectory: #"/a b/it's\here"#)
        #expect(text == #"host='/a b/it\'s\\here' port=5432 user=beanrow dbname=beanrow"#)
    }

    @Test func quotesSettingsAndPutsTheSocketLast() {
        let text = Configuration.settings(
            ["search_path": #"it's, a\b"#, "listen_addresses": "*", "jit": "on"],
            socketDirectory: "/run/it's"
        )
        let lines = text.split(separator: "\n")
        #expect(lines.contains(#"search_path = 'it''s, a\\b'"#))
        #expect(lines.last { $0.hasPrefix("listen_addresses") } == "listen_addresses = ''")
        #expect(lines.last { $0.hasPrefix("jit") } == "jit = 'on'")
        #expect(lines.contains("unix_socket_directories = '/run/it''s'"))
    }

    @Test(arguments: [
        ("postgres (PostgreSQL) 15.13 (Debian 15.13-0+deb12u1)\n", 15),
        ("postgres (PostgreSQL) 18beta1\n", 18),
        ("postgres (PostgreSQL) 17.5\n", 17),
        ("something else", nil),
    ])
    func readsTheMajorVersion(text: String, major: Int?) {
        #expect(Installation.major(ofVersion: text) == major)
    }

    @Test func findsProgramsOfOneInstallation() throws {
        let found = try Installation.find(major: nil, as: .current)
        #expect(try Installation.find(major: found.major, as: .current).major == found.major)
        for name in ["initdb", "pg_ctl", "postgres"] { #expect(access(found.program(name), X_OK) == 0) }
    }

    @Test func readsThePidFile() {
        let ready = Postmaster(pidFile: "12\n/data\n1700000000\n5432\n/run\n\n  5432001  3\nready   \n")
        #expect(ready?.pid == 12)
        #expect(ready?.socketDirectory == "/run")
        #expect(ready?.isReady == true)
        let starting = Postmaster(pidFile: "12\n/data\n1700000000\n5432\n/run\n\n  5432001  3\nstarting\n")
        #expect(starting?.isReady == false)
        #expect(Postmaster(pidFile: "12\n/data\n")?.isReady == false, "half written")
        #expect(Postmaster(pidFile: "") == nil)
        #expect(Postmaster(pidFile: "-1\n") == nil, "which kill() would take for everybody")
    }

    @Test(.enabled(if: geteuid() == 0)) func defaultDirectoryOfRoot() {
        #expect(EmbeddedPostgres.defaultDataDirectory() == "/var/lib/beanrow")
    }
}
