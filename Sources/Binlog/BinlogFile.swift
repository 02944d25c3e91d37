/// What was found in one file of the log.
public struct BinlogFile: Sendable {
    /// How far it could be read. Places are bytes from the start of the file.
    public enum End: Equatable, Sendable {
        case complete
        /// There is nothing in it: beanstalkd ended while it made the file.
        case unmade
        /// The last record was being written when beanstalkd ended; it is left out, as beanstalkd does.
        case torn(at: Int, String)
        /// From here on the file makes no sense.
        case damaged(at: Int, String)
        /// Files before and after it are there.
        case missing
    }

    public let number: Int
    public let size: Int
    public internal(set) var version: Int?
    public internal(set) var records = 0
    public internal(set) var end = End.complete
    /// A hash of the first record, by which the file is known again; `nil` without one.
    public internal(set) var signature: Int64?

    public var isDamaged: Bool {
        switch end {
        case .complete, .unmade, .torn: false
        case .damaged, .missing: true
        }
    }

    /// One line for a person; `nil` when all is well.
    public var remark: String? {
        switch end {
        case .complete: nil
        case .unmade: "binlog.\(number): empty, so beanstalkd ended while it made it"
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
