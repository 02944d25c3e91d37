/// A migration in one direction: the SQL that is run.
struct MigrationStep: Sendable {
    enum Direction: Sendable { case up, down }

    /// The first line of a file with statements that PostgreSQL refuses to run in a transaction: indexes that are built
    /// or dropped concurrently. They are run one by one, each with `if not exists` or `if exists`, so that a step that
    /// has stopped halfway can be run again.
    static let noTransaction = "-- Without a transaction."

    let migration: Migration
    let direction: Direction

    init(_ direction: Direction, _ migration: Migration) {
        self.direction = direction
        self.migration = migration
    }

    var sql: String { direction == .up ? migration.up : migration.down }

    var isTransaction: Bool { !sql.hasPrefix(Self.noTransaction + "\n") }

    /// The statements of a file without a transaction. A statement ends with a line that ends with `;`. A line that
    /// begins with `--` is not part of a statement.
    var statements: [String] {
        let lines = sql.split(separator: "\n").filter { !$0.hasPrefix("--") }
        var all: [String] = []
        var current: [Substring] = []
        for line in lines {
            current.append(line)
            if line.hasSuffix(";") {
                all.append(current.joined(separator: "\n"))
                current = []
            }
        }
        return current.isEmpty ? all : all + [current.joined(separator: "\n")]
    }

    /// The name of the index that a statement builds concurrently. If that fails, an invalid index of the name is left.
    static func indexBuilt(by statement: String) -> String? {
        let building = /^create\s+(?:unique\s+)?index\s+concurrently\s+if\s+not\s+exists\s+(\w+)\s/
        return statement.prefixMatch(of: building).map { String($0.1) }
    }
}
