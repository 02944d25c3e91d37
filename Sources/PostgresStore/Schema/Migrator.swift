import Foundation

/// Brings a schema to a version, a step at a time. A lock keeps two migrators of one schema apart.
///
/// Brokers may be at work meanwhile. A step is a transaction. Others queue up behind it while it waits for a lock, so it
/// gives up after a short wait, and is tried again. A step without a transaction takes no lock that stops anybody (see
/// `MigrationStep.noTransaction`).
public struct Migrator {
    /// A migration, and whether the schema has it.
    public struct Status: Sendable {
        public let version: Int
        public let name: String
        public let isApplied: Bool
    }

    /// How a step waits for its locks.
    struct Patience {
        /// Milliseconds of one wait.
        var limit: Int32 = 2000
        var tries = 10
        /// Milliseconds after the first try; twice as many after each, up to five seconds.
        var pause: UInt32 = 100
    }

    private let connection: Connection
    private let schema: String
    private let migrations: [Migration]
    private let patience: Patience

    /// `database` is a libpq connection string, `schema` the schema that has the tables or is to have them. Throws a
    /// `StoreError`.
    public init(database: String, schema: String) throws {
        let connection = try Connection(first: database)
        try Pooler.check(connection, to: database)
        self.init(connection, schema: schema)
    }

    init(
        _ connection: Connection, schema: String, migrations: [Migration] = Migration.all,
        patience: Patience = Patience()
    ) {
        self.connection = connection
        self.schema = schema
        self.migrations = migrations
        self.patience = patience
    }

    /// Applies the migrations that are missing, gives the roles that exist their rights on what is new, and returns the
    /// version reached.
    @discardableResult
    public func up() throws -> Int {
        try locked {
            let applied = try appliedVersions()
            try checkTrust()
            try repair()
            let missing = migrations.filter { applied[$0.version] == nil }
            guard !missing.isEmpty else { return latest }
            guard try mayChange() else { throw StoreError.mayNotMigrate(found: applied.keys.max() ?? 0, known: latest) }
            if try !isPrepared { try prepareSchema() }
            for migration in missing { try run(MigrationStep(.up, migration)) }
            try RoleMaker(connection, schema: schema).renew()
            return latest
        }
    }

    private var latest: Int { migrations.last?.version ?? 0 }

    /// True if this role could change the schema, or make it. A broker's role cannot.
    private func mayChange() throws -> Bool {
        try ask(.mayChangeSchema).bool(0, 0)
    }

    /// Takes back the latest migration, with the data in its tables; returns the version reached.
    @discardableResult
    public func down() throws -> Int {
        try locked {
            guard let last = try lastApplied() else { return 0 }
            try run(MigrationStep(.down, last))
            return last.version - 1
        }
    }

    private func lastApplied() throws -> Migration? {
        let applied = try appliedVersions()
        return migrations.last { applied[$0.version] != nil }
    }

    public func status() throws -> [Status] {
        let applied = try appliedVersions()
        return migrations.map { Status(version: $0.version, name: $0.name, isApplied: applied[$0.version] != nil) }
    }

    /// Returns the version of the schema; throws when this program cannot serve it.
    public func check() throws -> Int {
        let found = try checkVersion()
        try checkTrust()
        guard try misplacedFunctions().isEmpty else { throw StoreError.schemaRenamed(schema) }
        return found
    }

    /// The same without a look at who else may create in the schema.
    func checkVersion() throws -> Int {
        let applied = try locked { try appliedVersions() }
        let found = applied.keys.max() ?? 0
        guard found == latest else { throw StoreError.schemaTooOld(found: found, known: latest) }
        return found
    }

    // MARK: Others in the schema

    /// Functions run with their owner's rights. Another role that may create in the schema could have them call functions
    /// of its own.
    private func checkTrust() throws {
        let others = try ask(.othersWhoCreate)
        guard others.count == 0 else {
            throw StoreError.schemaIsShared(
                schema, roles: (0..<others.count).map { others.string($0, 0) },
                owner: (0..<others.count).first { others.bool($0, 1) }.map { others.string($0, 0) })
        }
        let overloads = try askOfOurs(.othersOverloads)
        guard overloads.count == 0 else {
            throw StoreError.schemaHasOverloads(schema, (0..<overloads.count).map { overloads.string($0, 0) })
        }
    }

    /// Sets the search path of our functions to the schema, if it has been renamed.
    private func repair() throws {
        let statements = try misplacedFunctions()
        guard !statements.isEmpty else { return }
        guard statements.allSatisfy(\.isOurs) else { throw StoreError.schemaRenamed(schema) }
        try connection.inTransaction {
            for statement in statements { try connection.run(statement.sql) }
        }
    }

    private func misplacedFunctions() throws -> [(sql: String, isOurs: Bool)] {
        let rows = try askOfOurs(.misplacedFunctions)
        return (0..<rows.count).map { (rows.string($0, 0), rows.bool($0, 1)) }
    }

    /// Runs a statement whose parameters are the schema and the names of our objects.
    private func askOfOurs(_ statement: Statement) throws -> Rows {
        var parameters = Parameters()
        parameters.add(schema)
        parameters.add(texts: Migration.names(in: migrations))
        return try connection.ask(statement, parameters)
    }

    // MARK: Scripts

    /// What `up` would run, as a script for psql. Nothing is run.
    public func upScript() throws -> MigrationScript {
        let applied = try appliedVersions()
        let steps = migrations.filter { applied[$0.version] == nil }.map { MigrationStep(.up, $0) }
        return MigrationScript(
            schema: schema, steps: steps, preparesSchema: try !isPrepared,
            repairs: try misplacedFunctions().map(\.sql))
    }

    /// What `down` would run, as a script for psql. Nothing is run.
    public func downScript() throws -> MigrationScript {
        let steps = try lastApplied().map { [MigrationStep(.down, $0)] } ?? []
        return MigrationScript(schema: schema, steps: steps)
    }

    // MARK: Steps

    private func run(_ step: MigrationStep) throws {
        var pause = patience.pause
        for attempt in 1... {
            do {
                return try step.isTransaction ? runInTransaction(step) : runAlone(step)
            } catch let error as StoreError where error.isLockTimeout || error.isTransient {
                guard attempt < patience.tries else {
                    throw StoreError.migrationBlocked(
                        version: step.migration.version, tries: attempt, sessions: try sessionsInTheWay())
                }
                usleep(pause * 1000)
                pause = min(pause * 2, 5000)
            }
        }
    }

    private func runInTransaction(_ step: MigrationStep) throws {
        try connection.inTransaction {
            try useSchema()
            var limit = Parameters()
            limit.add(patience.limit)
            _ = try connection.ask(.limitWaits, limit)
            try connection.run(step.sql)
            try record(step)
        }
    }

    private func runAlone(_ step: MigrationStep) throws {
        try useSchema()
        try connection.run(Statement.beginBuilding)
        defer { try? connection.run(Statement.endBuilding) }
        for statement in step.statements {
            if let index = MigrationStep.indexBuilt(by: statement) { try dropRemains(of: index) }
            try connection.run(statement)
        }
        try record(step)
    }

    /// A build that failed leaves an invalid index, which `if not exists` would take for a valid one.
    private func dropRemains(of index: String) throws {
        var name = Parameters()
        name.add(schema)
        name.add(index)
        guard try connection.ask(.isInvalidIndex, name).bool(0, 0) else { return }
        try connection.run(Statement.dropIndex(index))
    }

    private func record(_ step: MigrationStep) throws {
        var record = Parameters()
        record.add(Int32(step.migration.version))
        if step.direction == .up {
            record.add(step.migration.name)
            record.add(step.migration.checksum)
        }
        _ = try connection.ask(step.direction == .up ? .recordMigration : .forgetMigration, record)
    }

    private func sessionsInTheWay() throws -> String {
        var parameters = Parameters()
        parameters.add(schema)
        parameters.add(patience.limit)
        parameters.add(texts: Migration.names(in: migrations))
        let rows = try connection.ask(.sessionsInTheWay, parameters)
        return (0..<rows.count).map { row in
            let (name, seconds) = (rows.string(row, 1), rows.int64(row, 2))
            return "process \(rows.int32(row, 0))" + (name.isEmpty ? "" : " of \(name)")
                + (seconds < 0 ? "" : ", for \(seconds) s")
        }.joined(separator: "; ")
    }

    // MARK: The schema

    private func useSchema() throws {
        _ = try ask(.useSchema)
    }

    /// One lock per schema, held by the session.
    private func locked<T>(_ body: () throws -> T) throws -> T {
        try connection.run(Statement.configureMigrations)
        while try !ask(.lockMigrations).bool(0, 0) { usleep(100_000) }
        defer { _ = try? ask(.unlockMigrations) }
        return try body()
    }

    /// Runs a statement whose parameter is the schema.
    private func ask(_ statement: Statement) throws -> Rows {
        var parameters = Parameters()
        parameters.add(schema)
        return try connection.ask(statement, parameters)
    }

    /// Makes the table of migrations, and the schema if that is missing too.
    private func prepareSchema() throws {
        // Asked first: to create a schema needs rights that the owner of this one need not have.
        if try ask(.findSchema).count == 0 { try connection.run(Statement.createSchema(schema)) }
        try useSchema()
        try connection.run(Statement.createMigrations)
    }

    private var isPrepared: Bool {
        get throws { try ask(.findMigrations).count > 0 }
    }

    /// The checksums of the migrations that the schema has, by version.
    private func appliedVersions() throws -> [Int: Int64] {
        guard try isPrepared else { return [:] }
        try useSchema()
        let rows = try connection.ask(.migrations)
        var applied: [Int: Int64] = [:]
        for row in 0..<rows.count {
            let version = Int(rows.int32(row, 0))
            guard version != 1 || rows.string(row, 1) != Migration.firstOfDevelopment else {
                throw StoreError.schemaOfDevelopment(schema)
            }
            applied[version] = rows.int64(row, 2)
        }
        try verify(applied)
        return applied
    }

    private func verify(_ applied: [Int: Int64]) throws {
        if let found = applied.keys.max(), found > latest {
            throw StoreError.schemaTooNew(found: found, known: latest)
        }
        for migration in migrations {
            if let checksum = applied[migration.version], checksum != migration.checksum {
                throw StoreError.migrationChanged(version: migration.version)
            }
        }
    }
}
