import TestKit
import Testing

@testable import PostgresStore

@Suite("What the roles are given rights on")
struct PrivilegesTests {
    let db: Database

    init() throws {
        db = try Database()
    }

    @Test func isInTheSchema() throws {
        #expect(try RoleMaker(db.connection, schema: db.schema).missingObjects() == [])
    }

    @Test func whatIsMissingIsNoticed() throws {
        try db.run("drop view jobs cascade")
        #expect(try RoleMaker(db.connection, schema: db.schema).missingObjects().contains("table jobs"))
    }

    /// A role that may bring the schema up, and owns nothing.
    @Test func renewingThemIsNothingToWhoMayNot() throws {
        let stranger = "\(db.sessions)_stranger"
        try db.run("create role \(stranger); grant create, usage on schema \(identifier(db.schema)) to \(stranger)")
        try db.run("create role \(identifier("\(db.schema)_reader"))")
        let other = try Connection("\(db.server.connectionString) options='-c role=\(stranger)'")
        try RoleMaker(other, schema: db.schema).renew()
        #expect(try db.holds("not has_table_privilege(\(literal("\(db.schema)_reader")), 'jobs', 'select')"))
        try RoleMaker(db.connection, schema: db.schema).renew()
        #expect(try db.holds("has_table_privilege(\(literal("\(db.schema)_reader")), 'jobs', 'select')"))
    }
}
