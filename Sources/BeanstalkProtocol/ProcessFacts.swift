/// What the body of `stats` says about the process rather than the queue (protocol, 1.6).
public struct ProcessFacts: Hashable, Sendable {
    public var pid: Int32
    /// Beanrow's.
    public var version: String
    /// Time spent in user code and in the kernel, as `getrusage` tells it.
    public var userTime: CPUTime
    public var systemTime: CPUTime
    /// Whole seconds since the start.
    public var uptime: Int64
    public var binlog: BinlogFacts
    /// 16 hexadecimal digits, other ones at each start.
    public var id: String
    public var hostname: String
    /// `uname`'s version and machine.
    public var os: String
    public var platform: String
    /// Bytes a body may have (operations, `-z`).
    public var maxJobSize: Int

    public init(
        pid: Int32, version: String, userTime: CPUTime, systemTime: CPUTime, uptime: Int64, binlog: BinlogFacts,
        id: String, hostname: String, os: String, platform: String, maxJobSize: Int
    ) {
        self.pid = pid
        self.version = version
        self.userTime = userTime
        self.systemTime = systemTime
        self.uptime = uptime
        self.binlog = binlog
        self.id = id
        self.hostname = hostname
        self.os = os
        self.platform = platform
        self.maxJobSize = maxJobSize
    }
}

/// A time of `getrusage`: seconds, and microseconds from 0 to 999999.
public struct CPUTime: Hashable, Sendable {
    public var seconds: Int
    public var microseconds: Int

    public init(seconds: Int, microseconds: Int) {
        self.seconds = seconds
        self.microseconds = microseconds
    }
}

/// The `binlog-*` numbers of `stats`; as made, those of a broker that keeps no binlog.
public struct BinlogFacts: Hashable, Sendable {
    public var oldestIndex = 0
    public var currentIndex = 0
    public var recordsMigrated: Int64 = 0
    public var recordsWritten: Int64 = 0
    /// Bytes of one file.
    public var maxSize = 10_485_760

    public init() {}
}
