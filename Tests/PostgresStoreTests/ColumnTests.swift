import TestKit
import Testing

@testable import PostgresStore

@Suite("Columns are read by name, and checked when the statement is prepared")
struct ColumnTests {
    let session: PostgresStore.Connection

    init() throws {
        session = try Database().session()
    }

    private func prepare(_ sql: String) throws -> Statement {
        let statement = Statement(name: "found", sql: sql, columns: FoundJobColumns.self)
        try session.prepare([statement])
        return statement
    }

    private func refusal(_ sql: String) -> String {
        do {
            _ = try prepare(sql)
            return ""
        } catch {
            return "\(error)"
        }
    }

    @Test func columnsMayComeInAnyOrder() throws {
        let statement = try prepare("select false as is_reserved, 7::bigint as id, 'x' as more, 2::smallint as state")
        let rows = try session.execute(statement)
        let column = rows.columns(FoundJobColumns.self)
        #expect(rows[0, column.id] == 7)
        #expect(rows[0, column.state] == 2)
        #expect(!rows[0, column.isReserved])
    }

    @Test func aMissingColumnIsRefused() throws {
        #expect(refusal("select 7::bigint as id, true as is_reserved").contains("found has no column state"))
        #expect(try session.ask(.ownPID).count == 1, "the session can still be used")
    }

    @Test func aColumnOfAnotherTypeIsRefused() throws {
        let refusal = refusal("select 7::integer as id, 2::smallint as state, true as is_reserved")
        #expect(refusal.contains("a column id of the type with OID 23, which is not read as Int64"))
    }

    @Test func aSingleColumnNeedsNoName() throws {
        #expect(try session.ask(Statement(name: "", sql: "select 1 + 1")).value(Int32.self) == 2)
    }
}
