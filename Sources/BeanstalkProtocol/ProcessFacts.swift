/// The part of the reply to `stats` that is about the process, not the queue.
public struct ProcessFacts: Hashable, Sendable {
    public var pid: Int32
    /// The version of Beanrow.
    public var version: String
    /// CPU time in user code, from `getrusage`.
    public var userTime: CPUTime
    /// CPU time in the kernel, from `getrusage`.
    public var systemTime: CPUTime
    /// Seconds since the start, rounded down.
    public var uptime: Int64
    public var binlog: BinlogFacts
    /// 16 hexadecimal digits, chosen at random at each start.
    public var id: String
    public var hostname: String
    /// The version of the operating system, from `uname`.
    public var os: String
    /// The machine, from `uname`.
    public var platform: String
    /// The largest body in bytes (`-z`).
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

/// A time from `getrusage`: seconds, and microseconds from 0 to 999999.
public struct CPUTime: Hashable, Sendable {
    public var seconds: Int
    public var microseconds: Int

    public init(seconds: Int, microseconds: Int) {
        self.seconds = seconds
        self.microseconds = microseconds
    }
}

/// The `binlog-*` numbers of `stats`. The defaults are those of a beanstalkd without a binlog.
public struct BinlogFacts: Hashable, Sendable {
    public var oldestIndex = 0
    public var currentIndex = 0
    public var recordsMigrated: Int64 = 0
    public var recordsWritten: Int64 = 0
    /// The size of one file in bytes.
    public var maxSize = 10_485_760

    public init() {}
}
