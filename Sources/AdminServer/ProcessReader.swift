import Foundation
import MetricsExposition

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// Reads what the operating system knows of this process.
struct ProcessReader: Sendable {
    private let host: String
    private let started = ContinuousClock.now
    private let startTime: Double

    init() {
        var name = [CChar](repeating: 0, count: 256)
        gethostname(&name, name.count - 1)
        host = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        startTime = Date().timeIntervalSince1970
    }

    func numbers() -> ProcessNumbers {
        var usage = rusage()
        #if canImport(Darwin)
        getrusage(RUSAGE_SELF, &usage)
        #else
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        #endif
        var numbers = ProcessNumbers()
        numbers.host = host
        numbers.pid = getpid()
        numbers.userSeconds = ProcessReader.seconds(usage.ru_utime)
        numbers.systemSeconds = ProcessReader.seconds(usage.ru_stime)
        numbers.uptime = (ContinuousClock.now - started) / .seconds(1)
        numbers.startTime = startTime
        numbers.residentBytes = ProcessReader.residentBytes()
        return numbers
    }

    private static func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }

    /// The second number of /proc/self/statm, in pages.
    private static func residentBytes() -> Int? {
        let file = open("/proc/self/statm", O_RDONLY)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 128)
        let count = read(file, &bytes, bytes.count)
        guard count > 0 else { return nil }
        let words = String(decoding: bytes.prefix(count), as: UTF8.self).split(separator: " ")
        return words.count > 1 ? Int(words[1]).map { $0 * sysconf(Int32(_SC_PAGESIZE)) } : nil
    }
}
