/// One record of the log: a job as it was after a change of it.
struct Record {
    enum State: UInt8 {
        /// Deleted.
        case invalid = 0
        case ready = 1
        case reserved = 2
        case buried = 3
        case delayed = 4
    }

    /// The name of its tube; absent in a short record, which has no body either.
    var tube: String?
    var id: UInt64
    var priority: UInt32
    /// Nanoseconds, as all times here.
    var delay: Int64
    var ttr: Int64
    /// The CRLF included.
    var bodySize: Int
    var createdAt: Int64
    var deadlineAt: Int64
    var reserves: UInt32
    var timeouts: UInt32
    var releases: UInt32
    var buries: UInt32
    var kicks: UInt32
    var state: State
    /// Where the body starts in the file.
    var bodyOffset = 0
}

/// A version of the format. Both lay out a job in the same way, as a C compiler for 64 bits did.
enum Format: Int32 {
    /// beanstalkd 1.4.6: microseconds, and the length of a name as a size_t.
    case version5 = 5
    case version7 = 7

    /// Bytes of the length before a name.
    var lengthSize: Int { self == .version5 ? 8 : 4 }
    /// Bytes of a job.
    var jobSize: Int { self == .version5 ? 77 : 80 }
    /// Those of them that mean something; the last is the state.
    static let meaningfulSize = 77
    static let longestName = 200

    func length(_ bytes: UnsafeRawBufferPointer) -> Int64 {
        self == .version5
            ? Int64(littleEndian: bytes.loadUnaligned(as: Int64.self))
            : Int64(Int32(littleEndian: bytes.loadUnaligned(as: Int32.self)))
    }

    /// A job, or why these bytes are none.
    func job(_ bytes: UnsafeRawBufferPointer) throws(Implausible) -> Record {
        func load<Value: FixedWidthInteger>(_ offset: Int) -> Value {
            Value(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Value.self))
        }
        func nanoseconds(_ offset: Int) throws(Implausible) -> Int64 {
            let (product, overflow) = (load(offset) as Int64).multipliedReportingOverflow(
                by: self == .version5 ? 1000 : 1)
            guard !overflow else { throw Implausible("a time that is none") }
            return product
        }
        let id: UInt64 = load(0)
        guard id <= UInt64(Int64.max) else { throw Implausible("the id \(id)") }
        guard let state = Record.State(rawValue: bytes[76]) else { throw Implausible("the state \(bytes[76])") }
        let bodySize: Int32 = load(32)
        guard bodySize >= 2 else { throw Implausible("a body of \(bodySize) bytes") }
        let record = Record(
            id: id, priority: load(8), delay: try nanoseconds(16), ttr: try nanoseconds(24), bodySize: Int(bodySize),
            createdAt: try nanoseconds(40), deadlineAt: try nanoseconds(48), reserves: load(56), timeouts: load(60),
            releases: load(64), buries: load(68), kicks: load(72), state: state)
        let seconds = 0...Int64(UInt32.max) * 1_000_000_000
        guard seconds.contains(record.delay), seconds.contains(record.ttr) else {
            throw Implausible("a delay or a TTR of more than 4294967295 s")
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
struct Implausible: Error {
    let what: String

    init(_ what: String) {
        self.what = what
    }
}
