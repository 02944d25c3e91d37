import QueueCore

/// The names of davidtannock/beanstalkd_exporter 2. What it calls `_count`, and what it calls `_total` without being a
/// counter, is untyped here: by its name alone, Prometheus would take it for a part of a histogram, or for a counter.
extension Metrics {
    static let davidtannockFamilies: [MetricFamily] = davidtannockBroker + davidtannockTube

    private static let davidtannockBroker: [MetricFamily] =
        [
            .value("beanstalkd_up", .gauge, help: "1 if the broker may give out jobs.") {
                Number($0.queue.isEpochValid)
            }
        ]
        + CountedCommand.all.map { command in
            .value(
                "beanstalkd_cmd_\(command.name)_total", .counter,
                help: "Commands \(command.command) of this broker's clients."
            ) { Number(command.count($0.queue.stats.commands)) }
        } + [
            jobs("urgent", "Ready jobs with a priority under 1024.", \.urgent),
            jobs("ready", "Ready jobs.", \.ready),
            jobs("reserved", "Reserved jobs.", \.reserved),
            jobs("delayed", "Delayed jobs.", \.delayed),
            jobs("buried", "Buried jobs.", \.buried),
            stat("current_tubes_count", .one, help: "Tubes that exist.") { Number($0.tubes) },
            stat("current_connections_count", help: "Open connections.") { Number($0.connections) },
            stat("current_producers_count", help: "Open connections that have put.") { Number($0.producers) },
            stat("current_workers_count", help: "Open connections that have reserved.") { Number($0.workers) },
            stat("current_waiting_count", help: "Open connections that wait for a job.") { Number($0.waiting) },
            stat("job_timeouts_count", help: "Reservations whose time was over.") { Number($0.jobTimeouts) },
            stat("total_connections_count", help: "Connections that were accepted.") { Number($0.totalConnections) },
            stat("total_jobs_count", help: "Jobs that this broker's clients have put.") { Number($0.totalJobs) },
        ]

    private static func stat(
        _ name: String, _ teller: MetricFamily.Teller = .each, help: String,
        _ value: @escaping @Sendable (BrokerStats) -> Number
    ) -> MetricFamily {
        .value("beanstalkd_\(name)", .untyped, toldBy: teller, help: help) { value($0.queue.stats) }
    }

    private static func jobs(
        _ state: String, _ help: String, _ count: @escaping @Sendable (JobCounts) -> Int
    ) -> MetricFamily {
        stat("current_jobs_\(state)_count", .one, help: help) { Number(count($0.jobs)) }
    }

    private static let davidtannockTube: [MetricFamily] = [
        tube("current_jobs_urgent_count", .one, help: "Ready jobs with a priority under 1024.") {
            Number($0.jobs.urgent)
        },
        tube("current_jobs_ready_count", .one, help: "Ready jobs.") { Number($0.jobs.ready) },
        tube("current_jobs_reserved_count", .one, help: "Reserved jobs.") { Number($0.jobs.reserved) },
        tube("current_jobs_delayed_count", .one, help: "Delayed jobs.") { Number($0.jobs.delayed) },
        tube("current_jobs_buried_count", .one, help: "Buried jobs.") { Number($0.jobs.buried) },
        tube("current_using_count", .each, help: "Connections that use the tube.") { Number($0.using) },
        tube("current_watching_count", .each, help: "Connections that watch the tube.") { Number($0.watching) },
        tube("current_waiting_count", .each, help: "Connections that wait for a job.") { Number($0.waiting) },
        tube("cmd_delete_total", .each, kind: .counter, help: "Jobs that were deleted.") { Number($0.deletes) },
        tube("cmd_pause_tube_total", .each, kind: .counter, help: "Commands pause-tube.") { Number($0.pauses) },
        tube("pause_seconds_total", .one, help: "Seconds that the tube was paused for.") { Number($0.pause) },
        tube("pause_time_left_seconds_total", .one, help: "Seconds until the pause ends.") { Number($0.pauseLeft) },
        tube("total_jobs_count", .each, help: "Jobs that were put.") { Number($0.totalJobs) },
    ]

    private static func tube(
        _ name: String, _ teller: MetricFamily.Teller, kind: MetricFamily.Kind = .untyped, help: String,
        _ value: @escaping @Sendable (TubeSnapshot) -> Number
    ) -> MetricFamily {
        .tube("beanstalkd_tube_\(name)", kind, toldBy: teller, help: help, value)
    }
}
