import TestKit
import Testing

@testable import PostgresStore

@Suite("Roles get rights on objects that exist, and all the rights that they need")
struct PrivilegesTests {
    let db: Database

    init() throws {
        db = try Database()
    }

    @Test func everyObjectWithRightsExists() throws {
        #expect(try RoleMaker(db.connection, schema: db.schema).missingObjects() == [])
    }

    @Test func aMissingObjectIsFound() throws {
        try db.run("drop view jobs cascade")
        #expect(try RoleMaker(db.connection, schema: db.schema).missingObjects().contains("table jobs"))
    }

    /// `explain execute` checks every right that a statement needs.
    @Test func aBrokersStatementsNeedNoOtherRights() throws {
        let role = "\(db.sessions)_broker"
        try RoleMaker(db.connection, schema: db.schema).makeBroker(role)
        let member = try db.session()
        try member.run("set role \(role)")
        let all = Statement.keeper + Statement.queryRunner + Statement.writer + Statement.notifier
        for statement in Dictionary(grouping: all, by: \.name).values.map(\.[0]) {
            try member.prepare(statement)
            let count = try member.ask(
                Statement(
                    name: "",
                    sql: """
                        select cardinality(parameter_types) from pg_prepared_statements
                        where name = \(literal(statement.name))
                        """)
            ).int32(0, 0)
            let nulls = Array(repeating: "null", count: Int(count)).joined(separator: ", ")
            do {
                try member.run("explain execute \(identifier(statement.name))\(count > 0 ? "(\(nulls))" : "")")
            } catch let error as StoreError where error.sqlState == "42501" {
                Issue.record("\(statement.name): \(error)")
            }
        }
    }

    /// Such a role may migrate the schema but owns nothing in it.
    @Test func renewingDoesNothingForARoleThatMayNotGrant() throws {
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
