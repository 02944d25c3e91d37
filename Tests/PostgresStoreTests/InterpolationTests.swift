import Foundation
import Testing

/// Every SQL value is a parameter. A statement's text contains only quoted names and other pieces of the program's own SQL.
@Suite("No value is put into the text of a statement")
struct InterpolationTests {
    /// Pieces of the program's own SQL, and names that `identifier` quotes.
    private static let allowed: Set<String> = [
        "identifier(role)", "identifier(schema)", "identifier(index)", "SQL.isFree", "SQL.jobColumns", "SQL.readied",
        "SQL.reservations", "SQL.hasLivingHolder", "hasLivingHolder", "kicked", "SQL.missing", "SQL.pauseLeft",
        "hasTube",
        #"finite("job.created_at")"#,
        #"SQL.lease(to: "$1::bigint")"#, #"SQL.lease(to: "$2::bigint")"#, #"SQL.lease(to: "$6::bigint")"#,
        // Parameters and clauses of functions that make several statements from one text.
        "matches", "call", "operationColumns",
        "epoch", "which", "order", "state", "addToCounts", "startedAt", "listed",
        // The queue's own objects; their names are parameters.
        #"ownObjects(schema: "$1", names: "$2")"#, #"ownObjects(schema: "$1", names: "$3")"#,
        #"ownObjects(schema: "$2", names: "$3")"#, #"ownObjects(schema: "$2", names: "$4")"#, "grantable",
        // The samples of either kind, and their steps.
        "step", #"start("10 s")"#, "start(step)", #"added("waited")"#, #"added("worked")"#,
        // The choice of tubes.
        "table", "counts", "held", #"changed("select id from tube where")"#,
        #"changed("select tube_id from tube_count where")"#,
        #"changed("select tube_id from tube_held where epoch <> $2::bigint and")"#,
        // Timeouts of the program.
        "StoreTiming.lockTimeout.setting", "StoreTiming.declareDeadLockTimeout.setting",
        "StoreTiming.keeperIdleLimit.setting",
        // The migrator: its lock, and the functions that were there before.
        "noteFunctions", "migrationKey", "migrationLock",
        // The scripts that `beanrow migrate --sql` prints: numbers and quoted texts.
        "textLiteral(schema)", "textLiteral(index)", "version", "textLiteral(name)", "checksum",
    ]

    /// The interpolations in those literals of a Swift source that look like SQL.
    static func interpolations(in source: String) throws -> [String] {
        let verbs =
            "select|insert|update|delete|with|set|begin|lock|create|drop|alter|grant|revoke|lease_epoch|\\(lease|job\\."
        let literal = try Regex(#""""\s*\n.*?""""#).dotMatchesNewlines()
        let line = try Regex(#""(?:[^"\\\n]|\\\((?:[^()"]|"[^"]*"|\([^()]*\))*\)|\\.)*""#)
        let sql = try Regex(#"^"+\s*(?:\#(verbs))"#).ignoresCase()
        let blocks = source.matches(of: literal).map { String(source[$0.range]) }
        let lines = source.replacing(literal, with: "").matches(of: line).map { String($0.0) }
        let hole = try Regex(#"\\\(((?:[^()"]|"[^"]*"|\((?:[^()"]|"[^"]*")*\))*)\)"#, as: (Substring, Substring).self)
        return (blocks + lines).filter { $0.firstMatch(of: sql) != nil }
            .flatMap { text in text.matches(of: hole).map { String($0.output.1) } }
    }

    /// The store's Swift files, by their paths in its folder.
    private static func sources() throws -> [String: String] {
        let folder = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../Sources/PostgresStore").standardized
        let paths =
            FileManager.default.enumerator(atPath: folder.path(percentEncoded: false))?
            .compactMap { $0 as? String }.filter { $0.hasSuffix(".swift") } ?? []
        #expect(paths.count > 60)
        return try Dictionary(
            uniqueKeysWithValues: paths.map {
                ($0, try String(contentsOf: folder.appending(path: $0), encoding: .utf8))
            })
    }

    /// True for the files that may contain SQL.
    private static func isForSQL(_ path: String) -> Bool {
        path.hasSuffix("Statements.swift") || path.hasSuffix("/Statement.swift")
            || path.hasSuffix("/MigrationScript.swift")
    }

    @Test func theStoreInterpolatesNoValues() throws {
        var found: Set<String> = []
        for (path, source) in try Self.sources() {
            let inFile = try Self.interpolations(in: source)
            #expect(Set(inFile).subtracting(Self.allowed) == [], "\(path)")
            found.formUnion(inFile)
            if !Self.isForSQL(path) { #expect(inFile == [], "\(path)") }
        }
        #expect(Self.allowed.subtracting(found) == [], "allowed but not used")
    }

    @Test func sqlIsInStatementFilesOnly() throws {
        let sql = try Regex(
            #""\s*(?:select |insert into |update \w+ set |delete from |set (?:local )?\w+ to |lock table |listen |copy |"#
                + #"(?:begin|commit|rollback)[;"])"#)
        for (path, source) in try Self.sources() where !Self.isForSQL(path) {
            let lines = source.split(separator: "\n").filter { $0.contains(sql) }
            #expect(lines == [], "\(path)")
        }
    }

    @Test func aValueInAStatementIsFound() throws {
        #expect(try Self.interpolations(in: #"run("select \(value)")"#) == ["value"])
        #expect(try Self.interpolations(in: #"run("delete from job where id = \(ids[f("a")].id), \(b)")"#).last == "b")
        #expect(try Self.interpolations(in: "sql: \"\"\"\n    update job set a = \\(name)\n    \"\"\"") == ["name"])
        #expect(try Self.interpolations(in: #"log("a write was refused: \(error)")"#) == [])
    }
}
