/// One file of the log.
public struct BinlogFile: Sendable {
    /// How far a file could be read. Places are in bytes from the start of the file.
    public enum End: Equatable, Sendable {
        case complete
        /// The file holds only zeros or nothing: beanstalkd ended while it made the file.
        case empty
        /// The last record was not written completely when beanstalkd ended. It is left out, as in beanstalkd.
        case torn(at: Int, String)
        /// The file is not readable from here on, for the given reason.
        case damaged(at: Int, String)
        /// The file does not exist, but files before and after it do.
        case missing
    }

    /// The N of `binlog.N`.
    public let number: Int
    /// In bytes; 0 for a missing file.
    public let size: Int
    /// The version of the format, 5 or 7; `nil` without a valid header.
    public internal(set) var version: Int?
    /// The number of records that could be read.
    public internal(set) var records = 0
    /// How far the file could be read.
    public internal(set) var end = End.complete
    /// A hash of the first record, which identifies the file; `nil` without a record.
    public internal(set) var signature: Int64?

    /// Whether a part of the file, or all of it, could not be read. A torn last record does not count.
    public var isDamaged: Bool {
        switch end {
        case .complete, .empty, .torn: false
        case .damaged, .missing: true
        }
    }

    /// One line about what was not read, for people; `nil` when the file is complete.
    public var remark: String? {
        switch end {
        case .complete: nil
        case .empty: "binlog.\(number): empty: beanstalkd ended while it made the file"
        case .torn(let place, let what):
            """
            binlog.\(number): \(records) records; the one at byte \(place) was not written to its end (\(what)) and is \
            left out, as beanstalkd does
            """
        case .damaged(let place, let what):
            """
            binlog.\(number): \(records) records; at byte \(place) there is \(what), so the \(size - place) bytes from \
            there on cannot be read
            """
        case .missing: "binlog.\(number): missing, though there are files before and after it"
        }
    }
}
