/// A migration: a pair of files in migrations/, compiled into the program.
public struct Migration: Sendable {
    public let version: Int
    public let name: String
    public let up: String
    public let down: String

    /// All migrations, in their order. A test compares the list with the folder.
    public static let all: [Migration] = [
        Migration(
            version: 1, name: "job_tables", up: PackageResources._001_job_tables_up_sql,
            down: PackageResources._001_job_tables_down_sql),
        Migration(
            version: 2, name: "broker_tables", up: PackageResources._002_broker_tables_up_sql,
            down: PackageResources._002_broker_tables_down_sql),
        Migration(
            version: 3, name: "sql_tables", up: PackageResources._003_sql_tables_up_sql,
            down: PackageResources._003_sql_tables_down_sql),
        Migration(
            version: 4, name: "shared", up: PackageResources._004_shared_up_sql,
            down: PackageResources._004_shared_down_sql),
        Migration(
            version: 5, name: "sql_calls", up: PackageResources._005_sql_calls_up_sql,
            down: PackageResources._005_sql_calls_down_sql),
        Migration(
            version: 6, name: "broker_calls", up: PackageResources._006_broker_calls_up_sql,
            down: PackageResources._006_broker_calls_down_sql),
        Migration(
            version: 7, name: "history", up: PackageResources._007_history_up_sql,
            down: PackageResources._007_history_down_sql),
        Migration(
            version: 8, name: "put", up: PackageResources._008_put_up_sql,
            down: PackageResources._008_put_down_sql),
        Migration(
            version: 9, name: "steer", up: PackageResources._009_steer_up_sql,
            down: PackageResources._009_steer_down_sql),
        Migration(
            version: 10, name: "take", up: PackageResources._010_take_up_sql,
            down: PackageResources._010_take_down_sql),
        Migration(
            version: 11, name: "views", up: PackageResources._011_views_up_sql,
            down: PackageResources._011_views_down_sql),
        Migration(
            version: 12, name: "warnings", up: PackageResources._012_warnings_up_sql,
            down: PackageResources._012_warnings_down_sql),
        Migration(
            version: 13, name: "samples", up: PackageResources._013_samples_up_sql,
            down: PackageResources._013_samples_down_sql),
        Migration(
            version: 14, name: "operations", up: PackageResources._014_operations_up_sql,
            down: PackageResources._014_operations_down_sql),
    ]

    /// The name of the first migration of development versions, before any release. They had other migrations, which
    /// this program does not have.
    static let firstOfDevelopment = "jobs"

    private init(version: Int, name: String, up: [UInt8], down: [UInt8]) {
        self.init(
            version: version, name: name, up: String(decoding: up, as: UTF8.self),
            down: String(decoding: down, as: UTF8.self))
    }

    init(version: Int, name: String, up: String, down: String) {
        self.version = version
        self.name = name
        self.up = up
        self.down = down
    }

    /// FNV-1a of the file `up`, by which an edited one is noticed.
    var checksum: Int64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in up.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return Int64(bitPattern: hash)
    }
}
