import QueueCore

/// What a broker tells of itself, and of the queue in all.
extension Metrics {
    static let brokerFamilies: [MetricFamily] = identityFamilies + healthFamilies + storeFamilies + processFamilies

    private static let identityFamilies: [MetricFamily] = [
        MetricFamily(
            "beanrow_info", .gauge, labels: ["version", "epoch", "schema", "host", "pid"],
            help: "What runs here: always 1. The epoch is 0 while the broker is not registered.",
            .labelled { facts in
                let labels = [
                    facts.process.version, String(facts.queue.epoch), String(facts.store.schemaVersion),
                    facts.process.host, String(facts.process.pid),
                ]
                return [(labels, Number(1))]
            })
    ]

    private static let healthFamilies: [MetricFamily] = [
        .value("beanrow_ready", .gauge, help: "1 if the broker is registered and may give out jobs.") {
            Number($0.queue.isEpochValid)
        },
        .value("beanrow_draining", .gauge, help: "1 if the broker refuses puts, since it is about to end.") {
            Number($0.queue.stats.draining)
        },
        .value("beanrow_sole", .gauge, help: "1 if the broker is the only one and writes no leases for what it reads.")
        { Number($0.queue.isSole) },
        .value("beanrow_brokers", .gauge, toldBy: .one, help: "Living brokers of the queue.") {
            Number($0.queue.peers + 1)
        },
        MetricFamily(
            "beanrow_jobs", .gauge, labels: ["state"], toldBy: .one, help: "Jobs of the queue by state.",
            .labelled { facts in facts.queue.stats.jobs.byState.map { (["\($0.part)"], Number($0.count)) } }),
        .value("beanrow_tubes", .gauge, toldBy: .one, help: "Tubes that exist.") { Number($0.queue.stats.tubes) },
        MetricFamily(
            "beanrow_clients", .gauge, labels: ["role"],
            help:
                "Open connections; all, and those that have put (producer), have reserved (worker), or wait for a job.",
            .labelled { facts in
                let stats = facts.queue.stats
                return [
                    (["all"], .integer(stats.connections)), (["producer"], .integer(stats.producers)),
                    (["worker"], .integer(stats.workers)), (["waiting"], .integer(stats.waiting)),
                ]
            }),
        .value("beanrow_connections_total", .counter, help: "Connections that were accepted.") {
            Number($0.queue.stats.totalConnections)
        },
        .value("beanrow_pending_bytes", .gauge, help: "Bytes of puts that wait for their commit.") {
            Number($0.queue.pendingBytes)
        },
        .value("beanrow_pending_limit_bytes", .gauge, help: "Puts beyond so many pending bytes are refused.") {
            Number($0.queue.pendingLimit)
        },
        .value(
            "beanrow_puts_refused_total", .counter, help: "Puts that were answered OUT_OF_MEMORY or INTERNAL_ERROR."
        ) { Number($0.queue.refusedPuts) },
        .value("beanrow_cache_bytes", .gauge, help: "Bytes of jobs that are kept in memory for the next reserves.") {
            Number($0.queue.cachedBytes)
        },
        .value("beanrow_cache_limit_bytes", .gauge, help: "The most bytes of jobs that are kept in memory.") {
            Number($0.queue.cacheLimit)
        },
    ]

    private static let storeFamilies: [MetricFamily] = [
        .value("beanrow_database_up", .gauge, help: "1 if the broker reaches its database.") {
            Number($0.store.isDatabaseUp)
        },
        .value(
            "beanrow_database_reconnects_total", .counter,
            help: "Sessions with the database that were lost and replaced."
        ) { Number($0.store.reconnects) },
        .value("beanrow_failovers_total", .counter, help: "Brokers that this one has declared dead.") {
            Number($0.store.failovers)
        },
        .value("beanrow_heartbeat_age_seconds", .gauge, help: "Seconds since the last heartbeat that was committed.") {
            $0.store.heartbeatAge.map { Number($0) }
        },
        MetricFamily(
            "beanrow_commit_seconds", .histogram, labels: ["writer"],
            help: "Seconds that a transaction of a writer took.",
            .histograms { facts in facts.store.writers.map { ($0.writer, $0.seconds) } }),
        MetricFamily(
            "beanrow_commit_operations", .histogram, labels: ["writer"],
            help: "Operations that a transaction of a writer had.",
            .histograms { facts in facts.store.writers.map { ($0.writer, $0.operations) } }),
    ]

    /// The names that every client library of Prometheus uses.
    private static let processFamilies: [MetricFamily] = [
        .value("process_cpu_seconds_total", .counter, help: "Seconds of CPU, in user code and in the kernel.") {
            Number($0.process.userSeconds + $0.process.systemSeconds)
        },
        .value("process_start_time_seconds", .gauge, help: "When the process started, in seconds since 1970.") {
            Number($0.process.startTime)
        },
        .value("process_resident_memory_bytes", .gauge, help: "Bytes of memory that are resident.") {
            $0.process.residentBytes.map { Number($0) }
        },
    ]
}
