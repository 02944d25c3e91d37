public import Binlog

/// Why a folder was not imported. Each message says what to do. The database has nothing of the folder.
public enum ImportError: Error, CustomStringConvertible, Sendable {
    /// A part of the log cannot be read.
    case damaged(BinlogContents)
    /// Brokers serve the schema.
    case beingServed(by: [String])
    /// A job of the schema has the id of one in the folder.
    case idTaken(Int64)
    /// A body is larger than PostgreSQL can store.
    case tooLarge(id: UInt64, bytes: Int)

    public var description: String {
        switch self {
        case .damaged(let contents):
            """
            Not all of beanstalkd's log in \(contents.folder.path) can be read, and nothing of it was imported.
            \(contents.account)
            With --salvage, `beanrow import \(contents.folder.path)` imports these \(contents.jobs.count) jobs. Jobs \
            whose deletion stands in a part that cannot be read would then come back.
            """
        case .beingServed(let brokers):
            """
            The schema is being served by \(brokers.joined(separator: ", ")), who may have given out ids that the \
            folder's jobs have: stop the broker first, or import into another schema (--schema).
            """
        case .idTaken(let id):
            """
            The schema has a job \(id) already, and so has the folder: import into an empty schema (--schema), since \
            a job keeps its id.
            """
        case .tooLarge(let id, let bytes):
            "Job \(id) has \(bytes) bytes, more than PostgreSQL can store: delete it with beanstalkd first."
        }
    }
}

extension BinlogContents {
    /// What was read and what was not: a line for each file.
    var account: String {
        files.map { file in
            "  " + (file.remark ?? "binlog.\(file.number): \(file.records) records, all read")
        }.joined(separator: "\n")
    }

    /// The lines of the files that were not read to the end.
    var remarks: [String] { files.compactMap(\.remark) }
}
