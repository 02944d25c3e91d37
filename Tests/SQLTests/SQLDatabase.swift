import Foundation
import TestKit

@testable import PostgresStore

/// A database of one test, with the queue in its schema `beanrow`, so that statements are the same in the tests, in
/// docs/sql.md and for users.
struct SQLDatabase {
    let connectionString: String

    /// With an encoding and settings of its own, migrated by a role that is not a superuser if `owner` is true. `before` is
    /// run before that.
    init(
        on server: TestPostgres? = nil, encoding: String? = nil, settings: [(name: String, value: String)] = [],
        owner: Bool = false, before: String = ""
    ) throws {
        let server = try server ?? TestPostgres.shared()
        try self.init(
            at: server.connectionString, name: server.freshSchema(), encoding: encoding, settings: settings,
            owner: owner,
            before: before)
    }

    /// In a server that the test has started.
    init(
        at server: String, name: String = "queue", encoding: String? = nil,
        settings: [(name: String, value: String)] = [], owner: Bool = false, before: String = ""
    ) throws {
        _ = try runPSQL(
            server, "create database \(name)" + (encoding.map { " template template0 encoding \($0) locale 'C'" } ?? "")
        )
        // The account of these tests is called beanrow, and "$user" would lead into the queue's own schema.
        _ = try runPSQL(server, "alter database \(name) set search_path to public")
        for (setting, value) in settings {
            _ = try runPSQL(server, "alter database \(name) set \(setting) to \(value)")
        }
        connectionString = "\(server) dbname=\(name)"
        if !before.isEmpty { try run(before) }
        var migrating = connectionString
        if owner {
            _ = try runPSQL(
                server, "create role \(name)_owner login; grant create on database \(name) to \(name)_owner")
            migrating = connectionString.replacing("user=beanrow", with: "user=\(name)_owner")
        }
        try Migrator(database: migrating, schema: "beanrow").up()
    }

    /// Runs a file to its first error, and returns what it printed.
    func run(file: String) throws -> String {
        try runPSQL(connectionString, file: file)
    }

    /// Runs statements as a file: the commands of psql are among them.
    func run(script: String) throws -> String {
        let file = FileManager.default.temporaryDirectory.appending(path: "beanrow-\(UUID().uuidString).sql").path
        try script.write(toFile: file, atomically: false, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: file) }
        return try run(file: file)
    }

    /// Runs statements in a session of their own, and returns what they printed.
    @discardableResult
    func run(_ sql: String) throws -> String {
        try runPSQL(connectionString, sql)
    }

    func session() throws -> SQLSession {
        SQLSession(connection: try Connection(connectionString))
    }

    /// A broker that serves the queue.
    func startBroker() throws -> BrokerProcess {
        try BrokerProcess.start(schema: "beanrow", database: connectionString)
    }
}

/// A session that stays open, and with it a transaction. One thread uses it at a time.
struct SQLSession: @unchecked Sendable {
    let connection: Connection

    /// Statements without answers.
    func run(_ sql: String) throws {
        try connection.run(sql)
    }

    /// The first column of the first row as text; `null` if there is none.
    @discardableResult
    func value(_ query: String) throws -> String {
        try list(query).first ?? "null"
    }

    /// The rows as text, columns separated by commas.
    func list(_ query: String) throws -> [String] {
        let rows = try connection.ask(
            Statement(
                name: "",
                sql: """
                    with answer as (\(query))
                    select array_to_string(array(select value from json_each_text(row_to_json(answer))), ',', 'null')
                    from answer
                    """))
        return (0..<rows.count).map { rows.string($0, 0) }
    }

    func id(_ query: String) throws -> UInt64 {
        let text = try value(query)
        guard let id = UInt64(text) else { throw WireMismatch("no id: \(text)") }
        return id
    }

    /// The SQLSTATE with which a query is refused; nil if it is not.
    func refusal(_ query: String) -> String? {
        do { try value(query) } catch { return (error as? StoreError)?.sqlState }
        return nil
    }
}
