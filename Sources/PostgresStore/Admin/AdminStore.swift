import AdminAPI

/// What the admin listener reads and does in PostgreSQL, over a small pool of sessions of its own.
///
/// All methods throw `Problem`.
public final class AdminStore: Sendable {
    /// The seconds that a search goes on before it says how far it came.
    static let searchTime = 1.5

    let pool: AdminPool
    let schema: String

    /// Connects when there is something to do.
    public init(configuration: StoreConfiguration) {
        pool = AdminPool(configuration)
        schema = configuration.schema
    }

    /// Closes the sessions. What is under way ends with an error or its answer.
    public func stop() { pool.stop() }

    /// Reads. A session that turns out to be broken is replaced once.
    func read<Value: Sendable>(_ body: @escaping @Sendable (Connection) throws -> Value) async throws -> Value {
        try await pool.run { session in
            do {
                return try body(session.connection())
            } catch let error as StoreError where error.isLost && session.isUsed {
                return try body(session.reconnected())
            }
        }
    }

    /// Does something in a transaction, all or nothing.
    func write<Value: Sendable>(_ body: @escaping @Sendable (Connection) throws -> Value) async throws -> Value {
        try await pool.run { session in
            let connection = try session.connection()
            return try connection.inAdminTransaction { try body(connection) }
        }
    }
}

extension Connection {
    /// As `inTransaction`, in a session that else only reads.
    func inAdminTransaction<Value>(_ body: () throws -> Value) throws -> Value {
        do {
            try run(Statement.beginWriting.sql)
            let value = try body()
            try commit()
            return value
        } catch {
            try? rollBack()
            throw error
        }
    }
}
