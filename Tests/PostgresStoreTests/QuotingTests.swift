import TestKit
import Testing

@testable import PostgresStore
@testable import QueueCore

@Suite("No character of a value or a name is read as SQL")
struct QuotingTests {
    static let hostile = [
        #"Upper Case"#, #"a"b"#, #""; drop table job; --"#, #"it's"#, #"back\slash"#, "söß", "$1", "a,b", "$$",
        "$do$ x $create$",
        "%s %I", ":name",
        // A quote with an accent is one Character in Swift, but a quote for PostgreSQL.
        "accent\"\u{301}x", "accent'\u{301}x",
    ]

    @Test(arguments: hostile) func namesAreReadAsWritten(_ text: String) throws {
        let connection = try Connection(TestPostgres.shared().connectionString)
        let name = Statement(
            name: "", sql: "select json_object_keys(row_to_json(a)) from (select 1 as \(identifier(text))) as a")
        try connection.prepare(name)
        #expect(try connection.execute(name).string(0, 0).unicodeScalars.elementsEqual(text.unicodeScalars))
    }

    @Test(arguments: hostile) func aSchemaOfAnyNameWorks(_ name: String) throws {
        // The longest name that is allowed.
        let schema = "\(try TestPostgres.shared().freshSchema()) \(name)".padding(to: 63)
        let db = try Database(schema: schema)
        #expect(try db.rows("select put('t', 'a', key => 'k')") == "(1)")
        #expect(try db.rows("select count(*) from put_many('t', array['b', 'c'])") == "(2)")
        #expect(try db.rows("select finish(array(select id from reserve('{t}', count => 3)))") == "(3)")
        try db.run(
            "select set_policy('t', history => '1 day'), keep_history(); truncate job; alter sequence job_id restart")
        let broker = try TestBroker(db, tube: db.addTube())
        try broker.put(broker.put(1), broker.put(2))
        #expect(try broker.refill() == [1, 2])
        #expect(try broker.write { $0.deletes = [broker.delete(1)] } == .committed)
        #expect(try db.rows("select id from job") == "(2)")
        let migrator = try Migrator(database: db.server.connectionString, schema: db.schema)
        #expect(try migrator.check() == Migration.all.count)
        // The printed script does the same.
        try db.run("drop schema \(identifier(schema)) cascade")
        try db.server.runScript(migrator.upScript().text)
        #expect(try migrator.check() == Migration.all.count)
        #expect(try db.rows("select put('t', 'a')") == "(1)")
        for version in Migration.all.indices.reversed() { #expect(try migrator.down() == version) }
    }

    /// Neither the protocol nor the table allows such a name.
    @Test(arguments: hostile) func aTubeOfAnyNameIsStoredAsWritten(_ name: String) throws {
        let broker = try TestBroker()
        try broker.db.run("alter table tube drop constraint tube_name_check")
        guard case .tube(let tube, true) = try broker.ask(.openTube(TubeName(unchecked: name))) else {
            throw WireMismatch("no new tube")
        }
        #expect(try broker.db.rows("select id from tube where name <> 'default'") == "(\(tube))")
        let read = try broker.db.value(
            "select encode(convert_to(name, 'UTF8'), 'hex') from tube where name <> 'default'")
        #expect(read == name.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined())
    }
}

extension String {
    /// The text, padded with letters to this number of bytes.
    fileprivate func padding(to count: Int) -> String {
        self + String(repeating: "x", count: max(0, count - utf8.count))
    }
}
