/// One step of the schema: a pair of files in migrations/, compiled into the program.
public struct Migration: Sendable {
    public let version: Int
    public let name: String
    public let up: String
    public let down: String

    /// All of them, oldest first; a test compares the list with the directory.
    public static let all: [Migration] = [
        Migration(
            version: 1, name: "jobs", up: PackageResources._001_jobs_up_sql, down: PackageResources._001_jobs_down_sql),
        Migration(
            version: 2, name: "import", up: PackageResources._002_import_up_sql,
            down: PackageResources._002_import_down_sql),
        Migration(
            version: 3, name: "fence", up: PackageResources._003_fence_up_sql,
            down: PackageResources._003_fence_down_sql),
        Migration(
            version: 4, name: "sole", up: PackageResources._004_sole_up_sql,
            down: PackageResources._004_sole_down_sql),
        Migration(
            version: 5, name: "epoch", up: PackageResources._005_epoch_up_sql,
            down: PackageResources._005_epoch_down_sql),
        Migration(
            version: 6, name: "notices", up: PackageResources._006_notices_up_sql,
            down: PackageResources._006_notices_down_sql),
        Migration(
            version: 7, name: "claim", up: PackageResources._007_claim_up_sql,
            down: PackageResources._007_claim_down_sql),
        Migration(
            version: 8, name: "sql", up: PackageResources._008_sql_up_sql,
            down: PackageResources._008_sql_down_sql),
        Migration(
            version: 9, name: "policy", up: PackageResources._009_policy_up_sql,
            down: PackageResources._009_policy_down_sql),
        Migration(
            version: 10, name: "history", up: PackageResources._010_history_up_sql,
            down: PackageResources._010_history_down_sql),
        Migration(
            version: 11, name: "put", up: PackageResources._011_put_up_sql,
            down: PackageResources._011_put_down_sql),
        Migration(
            version: 12, name: "steer", up: PackageResources._012_steer_up_sql,
            down: PackageResources._012_steer_down_sql),
        Migration(
            version: 13, name: "take", up: PackageResources._013_take_up_sql,
            down: PackageResources._013_take_down_sql),
        Migration(
            version: 14, name: "report", up: PackageResources._014_report_up_sql,
            down: PackageResources._014_report_down_sql),
        Migration(
            version: 15, name: "warnings", up: PackageResources._015_warnings_up_sql,
            down: PackageResources._015_warnings_down_sql),
        Migration(
            version: 16, name: "key_index", up: PackageResources._016_key_index_up_sql,
            down: PackageResources._016_key_index_down_sql),
        Migration(
            version: 17, name: "tubes", up: PackageResources._017_tubes_up_sql,
            down: PackageResources._017_tubes_down_sql),
    ]

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

    /// FNV-1a of the file: enough to notice an edited one.
    var checksum: Int64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in up.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return Int64(bitPattern: hash)
    }
}
