import Foundation
import Testing

/// Every SQL value is a parameter. What is put into a statement's text is a name between quotes, or another piece of
/// the program's own SQL.
@Suite("No value is put into the text of a statement")
struct InterpolationTests {
    /// Pieces of SQL that the program has itself, and names that `identifier` quotes.
    private static let allowed: Set<String> = [
        "identifier(role)", "identifier(schema)", "identifier(index)", "SQL.isFree", "SQL.jobColumns", "SQL.readied",
        "SQL.reservations", "SQL.hasLivingHolder", "hasLivingHolder", "SQL.missing", "SQL.pauseLeft", "hasTube",
        #"finite("job.created_at")"#,
        #"SQL.lease(to: "$1::bigint")"#, #"SQL.lease(to: "$2::bigint")"#, #"SQL.lease(to: "$6::bigint")"#,
        // Parameters and clauses by functions that make several statements of one text.
        "epoch", "which", "order", "state", "addToCounts", "startedAt", "listed",
        // Which objects are the queue's own; their names are parameters.
        #"ownObjects(schema: "$1", names: "$2")"#, #"ownObjects(schema: "$1", names: "$3")"#,
        #"ownObjects(schema: "$2", names: "$3")"#, #"ownObjects(schema: "$2", names: "$4")"#, "grantable",
        // Which tubes are asked for.
        "table", "counts", "held", #"news("select id from tube where")"#,
        #"news("select tube_id from tube_count where")"#,
        #"news("select tube_id from tube_held where epoch <> $2::bigint and")"#,
        // Of a migrator: its lock, and what was there before.
        "noteFunctions", "migrationKey", "migrationLock",
        // Of the scripts that `beanrow migrate --sql` prints: numbers, and texts between quotes.
        "textLiteral(schema)", "textLiteral(index)", "version", "textLiteral(name)", "checksum",
    ]

    /// The interpolations of a Swift source in literals that look like SQL.
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

    @Test func inTheStore() throws {
        let directory = URL(filePath: #filePath).deletingLastPathComponent().appending(
            path: "../../Sources/PostgresStore"
        )
        .standardized
        let files = try FileManager.default.contentsOfDirectory(atPath: directory.path(percentEncoded: false))
            .filter { $0.hasSuffix(".swift") }
        #expect(files.count > 20)
        var found: Set<String> = []
        for file in files {
            let source = try String(contentsOf: directory.appending(path: file), encoding: .utf8)
            let inFile = try Self.interpolations(in: source)
            let strange = Set(inFile).subtracting(Self.allowed)
            #expect(strange == [], "\(file)")
            found.formUnion(inFile)
            // SQL is in the files of statements, and nowhere else.
            if !file.hasSuffix("Statements.swift"), file != "Statement.swift" { #expect(inFile == [], "\(file)") }
        }
        #expect(Self.allowed.subtracting(found) == [], "allowed in vain")
    }

    @Test func aValueWouldBeSeen() throws {
        #expect(try Self.interpolations(in: #"run("select \(value)")"#) == ["value"])
        #expect(try Self.interpolations(in: #"run("delete from job where id = \(ids[f("a")].id), \(b)")"#).last == "b")
        #expect(try Self.interpolations(in: "sql: \"\"\"\n    update job set a = \\(name)\n    \"\"\"") == ["name"])
        #expect(try Self.interpolations(in: #"log("a write was refused: \(error)")"#) == [])
    }
}
