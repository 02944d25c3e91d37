/// Where jobs are kept, and how durably.
public struct StoreConfiguration: Sendable {
    /// A libpq connection string or URL.
    public var database: String
    public var schema: String
    public var durability: Durability
    /// True: migrates the schema at the start. False: only checks it.
    public var migrates: Bool
    /// The seconds that the start waits for a database that cannot be reached yet.
    public var startTimeout: Double
    /// The bytes of a body that the broker accepts. SQL functions refuse larger bodies too.
    public var maxJobSize: Int

    public init(
        database: String, schema: String = "beanrow", durability: Durability = .synchronous, migrates: Bool = true,
        startTimeout: Double = 10, maxJobSize: Int = 65535
    ) {
        self.database = database
        self.schema = schema
        self.durability = durability
        self.migrates = migrates
        self.startTimeout = startTimeout
        self.maxJobSize = maxJobSize
    }
}

/// What has happened to a write when it is acknowledged.
public enum Durability: String, Sendable {
    /// It is on disk, and on the synchronous standby if there is one: `-f 0`, the default.
    case synchronous
    /// It has committed. PostgreSQL writes it to disk within about three times wal_writer_delay: `-f MS` and `-F`.
    case asynchronous
}
