/// Brings a schema to a version: one transaction per step, under a lock against two at once.
public struct Migrator {
    /// A step, and whether the schema has it.
    public struct Status: Sendable {
        public let version: Int
        public let name: String
        public let isApplied: Bool
    }

    private let connection: Connection
    private let schema: String

    /// `database` is a libpq connection string, `schema` where the tables are or shall be. Throws a `StoreError`.
    public init(database: String, schema: String) throws {
        self.init(try Connection(database), schema: schema)
    }

    init(_ connection: Connection, schema: String) {
        self.connection = connection
        self.schema = schema
    }

    /// Applies what is missing and returns the version reached.
    @discardableResult
    public func up() throws -> Int {
        try locked {
            if try !isPrepared { try prepareSchema() }
            var applied = try appliedVersions()
            for migration in Migration.all where applied[migration.version] == nil {
                try step(
                    migration.up,
                    "insert into migration (version, name, checksum) values (\(migration.version), "
                        + "\(literal(migration.name)), \(migration.checksum))")
                applied[migration.version] = migration.checksum
            }
            return applied.keys.max() ?? 0
        }
    }

    /// Takes back the latest step, and with it its data; returns the version reached.
    @discardableResult
    public func down() throws -> Int {
        try locked {
            let applied = try appliedVersions()
            guard let last = Migration.all.last(where: { applied[$0.version] != nil }) else { return 0 }
            try step(last.down, "delete from migration where version = \(last.version)")
            return last.version - 1
        }
    }

    public func status() throws -> [Status] {
        let applied = try locked { try appliedVersions() }
        return Migration.all.map { Status(version: $0.version, name: $0.name, isApplied: applied[$0.version] != nil) }
    }

    /// The version of the schema; an error when this program cannot serve it.
    public func check() throws -> Int {
        let applied = try locked { try appliedVersions() }
        let found = applied.keys.max() ?? 0
        let known = Migration.all.last?.version ?? 0
        guard found == known else { throw StoreError.schemaTooOld(found: found, known: known) }
        return found
    }

    private func step(_ sql: String, _ record: String) throws {
        do {
            try connection.run("begin; set local search_path to \(identifier(schema)); \(sql); \(record); commit")
        } catch {
            try? connection.run("rollback")
            throw error
        }
    }

    private func locked<T>(_ body: () throws -> T) throws -> T {
        // One lock per schema, held by the session.
        let lock = "hashtextextended(\(literal("beanrow migrate " + schema)), 0)"
        try connection.run("select pg_advisory_lock(\(lock))")
        defer { try? connection.run("select pg_advisory_unlock(\(lock))") }
        return try body()
    }

    /// The table of migrations, and the schema if that is missing too.
    private func prepareSchema() throws {
        // Asked first: creating needs rights that a broker need not have.
        if try !exists("select 1 from information_schema.schemata where schema_name = $1::text") {
            try connection.run("create schema if not exists \(identifier(schema))")
        }
        try connection.run(
            """
            create table \(identifier(schema)).migration (
                version integer primary key, name text not null, checksum bigint not null,
                applied_at timestamptz not null default now())
            """)
    }

    private var isPrepared: Bool {
        get throws {
            try exists(
                "select 1 from information_schema.tables where table_schema = $1::text and table_name = 'migration'")
        }
    }

    /// Whether a query about this schema has a row.
    private func exists(_ sql: String) throws -> Bool {
        let statement = Statement(name: "", sql: sql)
        try connection.prepare(statement)
        var parameters = Parameters()
        parameters.add(schema)
        return try connection.execute(statement, parameters).count > 0
    }

    /// Checksums by version.
    private func appliedVersions() throws -> [Int: Int64] {
        guard try isPrepared else { return [:] }
        try connection.run("set search_path to \(identifier(schema))")
        let all = Statement(name: "", sql: "select version, checksum from migration order by version")
        try connection.prepare(all)
        let rows = try connection.execute(all)
        var applied: [Int: Int64] = [:]
        for row in 0..<rows.count { applied[Int(rows.int32(row, 0))] = rows.int64(row, 1) }
        try verify(applied)
        return applied
    }

    private func verify(_ applied: [Int: Int64]) throws {
        let known = Migration.all.last?.version ?? 0
        if let found = applied.keys.max(), found > known { throw StoreError.schemaTooNew(found: found, known: known) }
        for migration in Migration.all {
            if let checksum = applied[migration.version], checksum != migration.checksum {
                throw StoreError.migrationChanged(version: migration.version)
            }
        }
    }
}

/// A name in double quotes, for the few places where SQL takes no parameter.
func identifier(_ name: String) -> String {
    quote(name, with: "\"")
}

func literal(_ text: String) -> String {
    quote(text, with: "'")
}

/// By Unicode scalars: a quote with an accent on it is another Character, and still a quote to PostgreSQL.
private func quote(_ text: String, with mark: Unicode.Scalar) -> String {
    var quoted = String.UnicodeScalarView([mark])
    for scalar in text.unicodeScalars {
        if scalar == mark { quoted.append(mark) }
        quoted.append(scalar)
    }
    quoted.append(mark)
    return String(quoted)
}
