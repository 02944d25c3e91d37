import QueueCore

/// The names of messagebird/beanstalkd_exporter: each key of `stats` but hostname, id and pid, and each key of
/// `stats-tube`, with `_` for `-`. A value that is no number is 0, as there.
extension Metrics {
    static let messagebirdFamilies: [MetricFamily] = messagebirdBroker + messagebirdTube

    private static let messagebirdBroker: [MetricFamily] =
        [
            stat("current_jobs_urgent", .one, help: "Ready jobs with a priority under 1024.") {
                Number($0.jobs.urgent)
            },
            stat("current_jobs_ready", .one, help: "Ready jobs.") { Number($0.jobs.ready) },
            stat("current_jobs_reserved", .one, help: "Reserved jobs.") { Number($0.jobs.reserved) },
            stat("current_jobs_delayed", .one, help: "Delayed jobs.") { Number($0.jobs.delayed) },
            stat("current_jobs_buried", .one, help: "Buried jobs.") { Number($0.jobs.buried) },
        ]
        + CountedCommand.all.map { command in
            stat("cmd_\(command.name)", help: "Commands \(command.command) of this broker's clients.") {
                Number(command.count($0.commands))
            }
        } + [
            stat("job_timeouts", help: "Reservations whose time was over.") { Number($0.jobTimeouts) },
            stat("total_jobs", help: "Jobs that this broker's clients have put.") { Number($0.totalJobs) },
            fact("max_job_size", help: "The largest body in bytes.") { Number($0.process.maxJobSize) },
            stat("current_tubes", .one, help: "Tubes that exist.") { Number($0.tubes) },
            stat("current_connections", help: "Open connections.") { Number($0.connections) },
            stat("current_producers", help: "Open connections that have put.") { Number($0.producers) },
            stat("current_workers", help: "Open connections that have reserved.") { Number($0.workers) },
            stat("current_waiting", help: "Open connections that wait for a job.") { Number($0.waiting) },
            stat("total_connections", help: "Connections that were accepted.") { Number($0.totalConnections) },
            fact("version", help: "Always 0: the version is no number.") { _ in Number(0) },
            fact("rusage_utime", help: "Seconds of CPU in user code.") { Number($0.process.userSeconds) },
            fact("rusage_stime", help: "Seconds of CPU in the kernel.") { Number($0.process.systemSeconds) },
            fact("uptime", help: "Seconds since the start.") { Number($0.process.uptime) },
            fact("binlog_oldest_index", help: "Always 0: there is no binlog.") { _ in Number(0) },
            fact("binlog_current_index", help: "Always 0: there is no binlog.") { _ in Number(0) },
            fact("binlog_records_migrated", help: "Always 0: there is no binlog.") { _ in Number(0) },
            fact("binlog_records_written", help: "Always 0: there is no binlog.") { _ in Number(0) },
            fact("binlog_max_size", help: "Always 10485760, beanstalkd's default: there is no binlog.") { _ in
                Number(10_485_760)
            },
            fact("draining", help: "Always 0: beanrow_draining tells it.") { _ in Number(0) },
            fact("os", help: "Always 0: the system is no number.") { _ in Number(0) },
            fact("platform", help: "Always 0: the machine is no number.") { _ in Number(0) },
        ]

    private static func stat(
        _ name: String, _ teller: MetricFamily.Teller = .each, help: String,
        _ value: @escaping @Sendable (BrokerStats) -> Number
    ) -> MetricFamily {
        fact(name, teller, help: help) { value($0.queue.stats) }
    }

    private static func fact(
        _ name: String, _ teller: MetricFamily.Teller = .each, help: String,
        _ value: @escaping @Sendable (MetricsFacts) -> Number
    ) -> MetricFamily {
        .value(name, .untyped, toldBy: teller, help: help) { value($0) }
    }

    private static let messagebirdTube: [MetricFamily] = [
        tube("current_jobs_urgent", .one, help: "Ready jobs with a priority under 1024.") { Number($0.jobs.urgent) },
        tube("current_jobs_ready", .one, help: "Ready jobs.") { Number($0.jobs.ready) },
        tube("current_jobs_reserved", .one, help: "Reserved jobs.") { Number($0.jobs.reserved) },
        tube("current_jobs_delayed", .one, help: "Delayed jobs.") { Number($0.jobs.delayed) },
        tube("current_jobs_buried", .one, help: "Buried jobs.") { Number($0.jobs.buried) },
        tube("total_jobs", .each, help: "Jobs that were put.") { Number($0.totalJobs) },
        tube("current_using", .each, help: "Connections that use the tube.") { Number($0.using) },
        tube("current_watching", .each, help: "Connections that watch the tube.") { Number($0.watching) },
        tube("current_waiting", .each, help: "Connections that wait for a job.") { Number($0.waiting) },
        tube("cmd_delete", .each, help: "Jobs that were deleted.") { Number($0.deletes) },
        tube("cmd_pause_tube", .each, help: "Commands pause-tube.") { Number($0.pauses) },
        tube("pause", .one, help: "Seconds that the tube was paused for.") { Number($0.pause) },
        tube("pause_time_left", .one, help: "Seconds until the pause ends.") { Number($0.pauseLeft) },
    ]

    private static func tube(
        _ name: String, _ teller: MetricFamily.Teller, help: String,
        _ value: @escaping @Sendable (TubeSnapshot) -> Number
    ) -> MetricFamily {
        .tube("tube_\(name)", .untyped, toldBy: teller, help: help, value)
    }
}
