import QueueCore

/// Encodes the YAML of `stats`, `stats-tube`, `stats-job` and the lists of tubes. The keys are those of beanstalkd
/// 1.13, in its order; `stats` has `beanrow-version` after them. Clients and monitoring parse this text line by line.
enum StatsEncoder {
    /// The version of beanstalkd that is reported. Some clients use it to decide which commands they send.
    private static let protocolVersion = "1.13"

    /// Names are never quoted, as in all versions of beanstalkd: most clients do not parse YAML, and would take the
    /// quotes for a part of the name.
    static func list(_ names: [TubeName]) -> String {
        names.reduce(into: "---\n") { $0 += "- \($1)\n" }
    }

    static func job(_ job: JobStats) -> String {
        """
        ---
        id: \(job.id)
        tube: \(YAMLScalar.scalar(job.tube.description))
        state: \(job.state.rawValue)
        pri: \(job.priority)
        age: \(job.age)
        delay: \(job.delay)
        ttr: \(job.ttr)
        time-left: \(job.timeLeft)
        file: 0
        reserves: \(job.counters.reserves)
        timeouts: \(job.counters.timeouts)
        releases: \(job.counters.releases)
        buries: \(job.counters.buries)
        kicks: \(job.counters.kicks)

        """
    }

    static func tube(_ tube: TubeStats) -> String {
        """
        ---
        name: \(YAMLScalar.scalar(tube.name.description))
        \(counts(tube.jobs))
        total-jobs: \(tube.totalJobs)
        current-using: \(tube.using)
        current-watching: \(tube.watching)
        current-waiting: \(tube.waiting)
        cmd-delete: \(tube.deletes)
        cmd-pause-tube: \(tube.pauses)
        pause: \(tube.pause)
        pause-time-left: \(tube.pauseTimeLeft)

        """
    }

    static func broker(_ broker: BrokerStats, _ facts: ProcessFacts) -> String {
        """
        ---
        \(counts(broker.jobs))
        \(counters(broker.commands))
        job-timeouts: \(broker.jobTimeouts)
        total-jobs: \(broker.totalJobs)
        max-job-size: \(facts.maxJobSize)
        current-tubes: \(broker.tubes)
        current-connections: \(broker.connections)
        current-producers: \(broker.producers)
        current-workers: \(broker.workers)
        current-waiting: \(broker.waiting)
        total-connections: \(broker.totalConnections)
        pid: \(facts.pid)
        version: \(YAMLScalar.quoted(protocolVersion))
        rusage-utime: \(seconds(facts.userTime))
        rusage-stime: \(seconds(facts.systemTime))
        uptime: \(facts.uptime)
        binlog-oldest-index: \(facts.binlog.oldestIndex)
        binlog-current-index: \(facts.binlog.currentIndex)
        binlog-records-migrated: \(facts.binlog.recordsMigrated)
        binlog-records-written: \(facts.binlog.recordsWritten)
        binlog-max-size: \(facts.binlog.maxSize)
        draining: \(broker.draining)
        id: \(YAMLScalar.scalar(facts.id))
        hostname: \(YAMLScalar.scalar(facts.hostname))
        os: \(YAMLScalar.scalar(facts.os))
        platform: \(YAMLScalar.scalar(facts.platform))
        beanrow-version: \(YAMLScalar.quoted(facts.version))

        """
    }

    private static func counts(_ jobs: JobCounts) -> String {
        """
        current-jobs-urgent: \(jobs.urgent)
        current-jobs-ready: \(jobs.ready)
        current-jobs-reserved: \(jobs.reserved)
        current-jobs-delayed: \(jobs.delayed)
        current-jobs-buried: \(jobs.buried)
        """
    }

    private static func counters(_ commands: CommandCounters) -> String {
        """
        cmd-put: \(commands.put)
        cmd-peek: \(commands.peek)
        cmd-peek-ready: \(commands.peekReady)
        cmd-peek-delayed: \(commands.peekDelayed)
        cmd-peek-buried: \(commands.peekBuried)
        cmd-reserve: \(commands.reserve)
        cmd-reserve-with-timeout: \(commands.reserveWithTimeout)
        cmd-delete: \(commands.delete)
        cmd-release: \(commands.release)
        cmd-use: \(commands.use)
        cmd-watch: \(commands.watch)
        cmd-ignore: \(commands.ignore)
        cmd-bury: \(commands.bury)
        cmd-kick: \(commands.kick)
        cmd-touch: \(commands.touch)
        cmd-stats: \(commands.stats)
        cmd-stats-job: \(commands.statsJob)
        cmd-stats-tube: \(commands.statsTube)
        cmd-list-tubes: \(commands.listTubes)
        cmd-list-tube-used: \(commands.listTubeUsed)
        cmd-list-tubes-watched: \(commands.listTubesWatched)
        cmd-pause-tube: \(commands.pauseTube)
        """
    }

    private static func seconds(_ time: CPUTime) -> String {
        let fraction = String(time.microseconds)
        return "\(time.seconds)." + String(repeating: "0", count: max(0, 6 - fraction.count)) + fraction
    }
}
