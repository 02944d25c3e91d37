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
            let applied = try appliedVersions()
            let missing = Migration.all.filter { applied[$0.version] == nil }
            guard !missing.isEmpty else { return latest }
            guard try mayChange() else { throw StoreError.mayNotMigrate(found: applied.keys.max() ?? 0, known: latest) }
            if try !isPrepared { try prepareSchema() }
            for migration in missing {
                var record = Parameters()
                record.add(Int32(migration.version))
                record.add(migration.name)
                record.add(migration.checksum)
                try step(migration.up, .recordMigration, record)
            }
            return latest
        }
    }

    private var latest: Int { Migration.all.last?.version ?? 0 }

    /// Whether this role could change the schema, or make it. A broker's cannot.
    private func mayChange() throws -> Bool {
        try ask(.mayChangeSchema).bool(0, 0)
    }

    /// Takes back the latest step, and with it its data; returns the version reached.
    @discardableResult
    public func down() throws -> Int {
        try locked {
            let applied = try appliedVersions()
            guard let last = Migration.all.last(where: { applied[$0.version] != nil }) else { return 0 }
            var record = Parameters()
            record.add(Int32(last.version))
            try step(last.down, .forgetMigration, record)
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
        guard found == latest else { throw StoreError.schemaTooOld(found: found, known: latest) }
        return found
    }

    private func step(_ sql: String, _ record: Statement, _ parameters: Parameters) throws {
        do {
            try connection.run("begin")
            try useSchema()
            try connection.run(sql)
            _ = try connection.ask(record, parameters)
            try connection.run("commit")
        } catch {
            try? connection.run("rollback")
            throw error
        }
    }

    private func useSchema() throws {
        _ = try ask(.useSchema)
    }

    private func locked<T>(_ body: () throws -> T) throws -> T {
        // One lock per schema, held by the session.
        _ = try ask(.lockMigrations)
        defer { _ = try? ask(.unlockMigrations) }
        return try body()
    }

    /// Runs a statement whose parameter is the schema.
    private func ask(_ statement: Statement) throws -> Rows {
        var parameters = Parameters()
        parameters.add(schema)
        return try connection.ask(statement, parameters)
    }

    /// The table of migrations, and the schema if that is missing too.
    private func prepareSchema() throws {
        // Asked first: creating needs rights that a broker need not have.
        if try ask(.findSchema).count == 0 { try connection.run(Statement.createSchema(schema)) }
        try useSchema()
        try connection.run(Statement.createMigrations)
    }

    private var isPrepared: Bool {
        get throws { try ask(.findMigrations).count > 0 }
    }

    /// Checksums by version.
    private func appliedVersions() throws -> [Int: Int64] {
        guard try isPrepared else { return [:] }
        try useSchema()
        let rows = try connection.ask(.migrations)
        var applied: [Int: Int64] = [:]
        for row in 0..<rows.count { applied[Int(rows.int32(row, 0))] = rows.int64(row, 1) }
        try verify(applied)
        return applied
    }

    private func verify(_ applied: [Int: Int64]) throws {
        if let found = applied.keys.max(), found > latest {
            throw StoreError.schemaTooNew(found: found, known: latest)
        }
        for migration in Migration.all {
            if let checksum = applied[migration.version], checksum != migration.checksum {
                throw StoreError.migrationChanged(version: migration.version)
            }
        }
    }
}
