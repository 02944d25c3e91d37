/// Where the jobs are kept, and how surely.
public struct StoreConfiguration: Sendable {
    /// A libpq connection string or URL.
    public var database: String
    public var schema: String
    public var durability: Durability
    /// Bring the schema up at the start; else only check it.
    public var migrates: Bool
    /// Seconds that the start waits for a database that is not there yet.
    public var startTimeout: Double
    /// Bytes that the broker takes in a body; functions of SQL refuse more too.
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

/// What has happened to a write when it is acknowledged (design, section 4).
public enum Durability: String, Sendable {
    /// It is on disk, and on the synchronous standby if PostgreSQL has one: `-f 0`, the default.
    case synchronous
    /// It has committed; PostgreSQL writes it out within about three times wal_writer_delay: `-f MS` and `-F`.
    case asynchronous
}
