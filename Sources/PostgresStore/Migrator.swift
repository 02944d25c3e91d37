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
        try connection.run("begin; set local search_path to \(identifier(schema)); \(sql); \(record); commit")
    }

    private func locked<T>(_ body: () throws -> T) throws -> T {
        // One lock per schema, held by the session.
        let lock = "hashtextextended(\(literal("beanrow migrate " + schema)), 0)"
        try connection.run("select pg_advisory_lock(\(lock))")
        defer { try? connection.run("select pg_advisory_unlock(\(lock))") }
        return try body()
    }

    /// Checksums by version. Makes the schema and the table of migrations if they are missing.
    private func appliedVersions() throws -> [Int: Int64] {
        let there = Statement(
            name: "",
            sql: "select 1 from information_schema.schemata where schema_name = $1::text")
        try connection.prepare(there)
        var parameters = Parameters()
        parameters.add(schema)
        // Asked first: creating needs a right on the database that a broker need not have.
        if try connection.execute(there, parameters).count == 0 {
            try connection.run("create schema if not exists \(identifier(schema))")
        }
        try connection.run(
            """
            set client_min_messages to warning;
            set search_path to \(identifier(schema));
            create table if not exists migration (
                version integer primary key, name text not null, checksum bigint not null,
                applied_at timestamptz not null default now())
            """)
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
    "\"" + name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
}

func literal(_ text: String) -> String {
    "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
}
