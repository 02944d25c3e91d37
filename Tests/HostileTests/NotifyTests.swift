import TestKit
import Testing

/// Any login of the database may LISTEN and NOTIFY. It can neither tell a broker anything nor learn anything from one.
@Suite(.serialized) struct NotifyTests {
    private let server: BrokerProcess
    private let client: WireClient

    init() throws {
        server = try BrokerProcess.start()
        client = try server.connect()
    }

    private func psql(_ sql: String) throws -> String { try TestPostgres.shared().psql(sql) }

    @Test func aForgedNoticeBindsNoNameToATube() throws {
        let schema = server.configuration.schema
        try client.send("put 0 0 60 1\r\na\r\n")
        let id = try client.expectInserted()
        for tube in ["1", "2000000000"] { _ = try psql("select pg_notify('\(schema)', '\(tube) 0 0 secret')") }
        // The broker has read its notices since.
        _ = try psql("select pg_sleep(0.2)")
        try client.send("use secret\r\nput 0 0 60 1\r\nb\r\npeek-ready\r\n")
        try client.expect("USING secret")
        let next = try client.expectInserted()
        try client.expect("FOUND \(next) 1")
        try client.expect("b")
        #expect(
            try psql("select string_agg(id || ' ' || tube, ', ' order by id) from \(schema).jobs")
                == "\(id) default, \(next) secret")
    }

    /// The same with as many names.
    @Test func aMillionNoticesTakeNoMemory() throws {
        let schema = server.configuration.schema
        try Victim.unharmed(by: "a million notices", on: server, megabytes: 150) {
            for part in 0..<10 {
                _ = try psql(
                    """
                    select count(pg_notify('\(schema)', '9 0 0 tube-of-some-length-' || n))
                    from generate_series(\(part * 100_000 + 1), \((part + 1) * 100_000)) as n
                    """)
            }
        }
    }
}
