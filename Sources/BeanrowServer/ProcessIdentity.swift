import BeanstalkProtocol

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// What `stats` tells about this process.
struct ProcessIdentity: Sendable {
    private let version: String
    private let maxJobSize: Int
    private let started = ContinuousClock.now
    private let id: String
    private let hostname: String
    private let os: String
    private let platform: String

    init(version: String, maxJobSize: Int) {
        self.version = version
        self.maxJobSize = maxJobSize
        // It begins with a letter, so that no client takes it for a number.
        id = String(UInt64.random(in: 0xA000_0000_0000_0000 ... .max), radix: 16)
        var names = utsname()
        uname(&names)
        hostname = text(&names.nodename)
        os = text(&names.version)
        platform = text(&names.machine)
    }

    var facts: ProcessFacts {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return ProcessFacts(
            pid: getpid(), version: version, userTime: time(usage.ru_utime), systemTime: time(usage.ru_stime),
            uptime: (ContinuousClock.now - started).components.seconds, binlog: BinlogFacts(), id: id,
            hostname: hostname, os: os, platform: platform, maxJobSize: maxJobSize)
    }
}

private func time(_ value: timeval) -> CPUTime {
    CPUTime(seconds: Int(value.tv_sec), microseconds: Int(value.tv_usec))
}

/// A field of C's `utsname`.
private func text<Field>(_ field: inout Field) -> String {
    withUnsafeBytes(of: &field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
}
