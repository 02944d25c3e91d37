import BeanstalkProtocol
import Benchmark
import NIOCore
import QueueCore

func encoderBenchmarks() {
    encodes("INSERTED", .inserted(123_456_789))
    encodes("RESERVED of 200 B", .reserved(123_456_789, Body(repeating: 120, count: 200)))
    encodes("RESERVED of 16 KiB", .reserved(123_456_789, Body(repeating: 120, count: 16 << 10)))
    encodes("stats", .broker(busyBroker))
}

/// Encodes into a buffer that is large enough, as an event loop keeps it, so that `malloc` is not measured.
private func encodes(_ what: String, _ reply: Reply) {
    Benchmark("encoder: \(what)") { benchmark in
        let encoder = ReplyEncoder()
        let facts = facts
        var buffer = ByteBuffer()
        benchmark.startMeasurement()
        for _ in benchmark.scaledIterations {
            buffer.clear()
            encoder.encode(reply, facts: facts, into: &buffer)
        }
        benchmark.stopMeasurement()
        blackHole(buffer)
    }
}

/// Numbers as long as those of a broker that has worked for a day.
private var busyBroker: BrokerStats {
    var stats = BrokerStats()
    stats.jobs = JobCounts(urgent: 12, ready: 123_456, reserved: 640, delayed: 4321, buried: 17)
    stats.commands.put = 123_456_789
    stats.commands.reserve = 123_456_789
    stats.commands.delete = 123_456_789
    stats.totalJobs = 123_456_789
    stats.tubes = 42
    stats.connections = 256
    stats.producers = 64
    stats.workers = 192
    stats.waiting = 100
    stats.totalConnections = 98_765
    return stats
}

private let facts = ProcessFacts(
    pid: 4711, version: "1.13", userTime: CPUTime(seconds: 3600, microseconds: 1234),
    systemTime: CPUTime(seconds: 1800, microseconds: 123_456), uptime: 86400, binlog: BinlogFacts(),
    id: "0123456789abcdef", hostname: "broker-1.example.org", os: "#1 SMP PREEMPT_DYNAMIC Debian 6.1.0-1",
    platform: "x86_64", maxJobSize: 65535)
