import BeanstalkProtocol
import QueueCore

@testable import Simulation

/// A `stats` reply in which each counter has a different value: its place among the keys.
extension BrokerStats {
    static let sample: BrokerStats = {
        var stats = BrokerStats()
        stats.jobs = JobCounts(urgent: 1, ready: 2, reserved: 3, delayed: 4, buried: 5)
        stats.commands.put = 6
        stats.commands.peek = 7
        stats.commands.peekReady = 8
        stats.commands.peekDelayed = 9
        stats.commands.peekBuried = 10
        stats.commands.reserve = 11
        stats.commands.reserveWithTimeout = 12
        stats.commands.delete = 13
        stats.commands.release = 14
        stats.commands.use = 15
        stats.commands.watch = 16
        stats.commands.ignore = 17
        stats.commands.bury = 18
        stats.commands.kick = 19
        stats.commands.touch = 20
        stats.commands.stats = 21
        stats.commands.statsJob = 22
        stats.commands.statsTube = 23
        stats.commands.listTubes = 24
        stats.commands.listTubeUsed = 25
        stats.commands.listTubesWatched = 26
        stats.commands.pauseTube = 27
        stats.jobTimeouts = 28
        stats.totalJobs = 29
        stats.tubes = 31
        stats.connections = 32
        stats.producers = 33
        stats.workers = 34
        stats.waiting = 35
        stats.totalConnections = 36
        stats.draining = true
        return stats
    }()
}

extension ProcessFacts {
    static let sample: ProcessFacts = {
        var binlog = BinlogFacts()
        binlog.oldestIndex = 42
        binlog.currentIndex = 43
        binlog.recordsMigrated = 44
        binlog.recordsWritten = 45
        return ProcessFacts(
            pid: 4242, version: "0.1.0", userTime: CPUTime(seconds: 1, microseconds: 2),
            systemTime: CPUTime(seconds: 12, microseconds: 345_678), uptime: 99, binlog: binlog,
            id: "0123456789abcdef", hostname: "box", os: "#1 SMP Debian", platform: "x86_64", maxJobSize: 65535)
    }()
}

extension ReplyEncoderTests {
    static let statsBody = """
        ---
        current-jobs-urgent: 1
        current-jobs-ready: 2
        current-jobs-reserved: 3
        current-jobs-delayed: 4
        current-jobs-buried: 5
        cmd-put: 6
        cmd-peek: 7
        cmd-peek-ready: 8
        cmd-peek-delayed: 9
        cmd-peek-buried: 10
        cmd-reserve: 11
        cmd-reserve-with-timeout: 12
        cmd-delete: 13
        cmd-release: 14
        cmd-use: 15
        cmd-watch: 16
        cmd-ignore: 17
        cmd-bury: 18
        cmd-kick: 19
        cmd-touch: 20
        cmd-stats: 21
        cmd-stats-job: 22
        cmd-stats-tube: 23
        cmd-list-tubes: 24
        cmd-list-tube-used: 25
        cmd-list-tubes-watched: 26
        cmd-pause-tube: 27
        job-timeouts: 28
        total-jobs: 29
        max-job-size: 65535
        current-tubes: 31
        current-connections: 32
        current-producers: 33
        current-workers: 34
        current-waiting: 35
        total-connections: 36
        pid: 4242
        version: "1.13"
        rusage-utime: 1.000002
        rusage-stime: 12.345678
        uptime: 99
        binlog-oldest-index: 42
        binlog-current-index: 43
        binlog-records-migrated: 44
        binlog-records-written: 45
        binlog-max-size: 10485760
        draining: true
        id: 0123456789abcdef
        hostname: box
        os: "#1 SMP Debian"
        platform: x86_64
        beanrow-version: "0.1.0"

        """
}
