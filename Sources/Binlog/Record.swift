/// One record of the log: a job after a change.
struct Record {
    enum State: UInt8 {
        /// Deleted.
        case invalid = 0
        case ready = 1
        case reserved = 2
        case buried = 3
        case delayed = 4
    }

    /// The name of the tube; `nil` in a short record, which has no body either.
    var tube: String?
    var id: UInt64
    var priority: UInt32
    /// In nanoseconds, as all times of a record.
    var delay: Int64
    var ttr: Int64
    /// In bytes, with the CRLF.
    var bodySize: Int
    var createdAt: Int64
    var deadlineAt: Int64
    var reserves: UInt32
    var timeouts: UInt32
    var releases: UInt32
    var buries: UInt32
    var kicks: UInt32
    var state: State
    /// The offset of the body in the file.
    var bodyOffset = 0
}

/// A version of the format. Both lay out a job as a C struct of a 64-bit platform.
enum Format: Int32 {
    /// beanstalkd 1.4.6: times in microseconds, and the length of a name as a size_t.
    case version5 = 5
    case version7 = 7

    /// The size of the length before a name, in bytes.
    var lengthSize: Int { self == .version5 ? 8 : 4 }
    /// The size of a job, in bytes.
    var jobSize: Int { self == .version5 ? 77 : 80 }
    /// The bytes of a job before its padding. The last one is the state.
    static let meaningfulSize = 77
    static let longestName = 200

    func length(_ bytes: UnsafeRawBufferPointer) -> Int64 {
        self == .version5
            ? Int64(littleEndian: bytes.loadUnaligned(as: Int64.self))
            : Int64(Int32(littleEndian: bytes.loadUnaligned(as: Int32.self)))
    }

    /// Parses a job.
    func job(_ bytes: UnsafeRawBufferPointer) throws(MalformedRecord) -> Record {
        func load<Value: FixedWidthInteger>(_ offset: Int) -> Value {
            Value(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Value.self))
        }
        func nanoseconds(_ offset: Int) throws(MalformedRecord) -> Int64 {
            let (product, overflow) = (load(offset) as Int64).multipliedReportingOverflow(
                by: self == .version5 ? 1000 : 1)
            guard !overflow else { throw MalformedRecord("an invalid time") }
            return product
        }
        let id: UInt64 = load(0)
        guard id <= UInt64(Int64.max) else { throw MalformedRecord("the id \(id)") }
        guard let state = Record.State(rawValue: bytes[76]) else { throw MalformedRecord("the state \(bytes[76])") }
        let bodySize: Int32 = load(32)
        guard bodySize >= 2 else { throw MalformedRecord("a body of \(bodySize) bytes") }
        let record = Record(
            id: id, priority: load(8), delay: try nanoseconds(16), ttr: try nanoseconds(24), bodySize: Int(bodySize),
            createdAt: try nanoseconds(40), deadlineAt: try nanoseconds(48), reserves: load(56), timeouts: load(60),
            releases: load(64), buries: load(68), kicks: load(72), state: state)
        let seconds = 0...Int64(UInt32.max) * 1_000_000_000
        guard seconds.contains(record.delay), seconds.contains(record.ttr) else {
            throw MalformedRecord("a delay or a TTR of more than 4294967295 s")
        }
        return record
    }

    static func isName(_ bytes: UnsafeRawBufferPointer) -> Bool {
        bytes.first != UInt8(ascii: "-") && bytes.allSatisfy(isNameByte)
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "-+/;.$_()".utf8.contains(byte)
        }
    }
}

/// Bytes that beanstalkd does not write.
struct MalformedRecord: Error {
    let what: String

    init(_ what: String) {
        self.what = what
    }
}
