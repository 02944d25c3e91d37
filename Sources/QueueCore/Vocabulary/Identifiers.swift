/// A job's number, 1 or more. The broker chooses it before the insert. It is never used twice.
public typealias JobID = UInt64

/// A tube's number in PostgreSQL (`tube.id`).
public typealias TubeID = Int32

/// The identity of a connection inside the broker: a slot, which is used again, and a generation, which is not.
public struct ConnectionID: Hashable, Sendable {
    public let slot: Int
    public let generation: UInt32

    public init(slot: Int, generation: UInt32) {
        self.slot = slot
        self.generation = generation
    }
}

/// The order in which ready jobs are reserved: the smallest priority first, then the oldest id.
public struct JobKey: Comparable, Hashable, Sendable {
    public var priority: UInt32
    public var id: JobID

    public init(priority: UInt32, id: JobID) {
        self.priority = priority
        self.id = id
    }

    /// Smaller than the key of every job.
    public static let first = JobKey(priority: 0, id: 0)
    /// Larger than the key of every job: ids are bigints and never get this large.
    public static let end = JobKey(priority: .max, id: .max)

    /// The first key after this one.
    public var next: JobKey { self == .end ? self : JobKey(priority: priority, id: id + 1) }

    @inlinable
    public static func < (a: JobKey, b: JobKey) -> Bool {
        a.priority != b.priority ? a.priority < b.priority : a.id < b.id
    }
}

/// A tube's name that is known to be valid: 1 to 200 bytes of `A-Za-z0-9-+/;.$_()`, not starting with `-`
/// (beanstalkd's doc/protocol.txt, The System).
public struct TubeName: Hashable, Sendable, CustomStringConvertible {
    /// Bytes that a name may have.
    public static let maxLength = 200

    public let description: String

    public static let `default` = TubeName(unchecked: "default")

    /// `nil` when the name is not valid.
    public init?(_ name: String) {
        guard TubeName.isValid(name.utf8) else { return nil }
        self.description = name
    }

    /// For names whose bytes `isValid` has already accepted.
    public init(unchecked name: String) {
        self.description = name
    }

    public static func isValid(_ bytes: some Collection<UInt8>) -> Bool {
        guard let first = bytes.first, first != UInt8(ascii: "-"), bytes.count <= maxLength else { return false }
        return bytes.allSatisfy(isNameByte)
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        case UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: ";"), UInt8(ascii: "."),
            UInt8(ascii: "$"), UInt8(ascii: "_"), UInt8(ascii: "("), UInt8(ascii: ")"):
            true
        default:
            false
        }
    }
}

/// A job's body: bytes that only clients understand.
public typealias Body = [UInt8]
