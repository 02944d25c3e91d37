import QueueCore

/// What is told of each tube.
extension Metrics {
    static let tubeFamilies: [MetricFamily] = levelFamilies + activityFamilies

    private static let levelFamilies: [MetricFamily] = [
        MetricFamily(
            "beanrow_tube_jobs", .gauge, labels: ["tube", "state"], toldBy: .one, help: "Jobs of a tube by state.",
            .tubeStates),
        MetricFamily(
            "beanrow_tube_oldest_ready_seconds", .gauge, labels: ["tube"], toldBy: .one,
            help: "Seconds that the oldest ready job has been ready. Absent if none is.", .tubeAges),
        .tube(
            "beanrow_tube_paused_seconds_left", .gauge, toldBy: .one,
            help: "Seconds until the pause ends. Absent if the tube is not paused."
        ) { $0.pauseLeft > 0 ? Number($0.pauseLeft) : nil },
        .tube(
            "beanrow_tube_max_ready", .gauge, toldBy: .one,
            help: "The most ready jobs, by the tube's policy. Absent if there is no limit."
        ) { $0.maxReady.map { Number($0) } },
        .tube(
            "beanrow_tube_buries_by_policy", .gauge, toldBy: .one,
            help: "1 if the tube's policy buries jobs that have failed. Absent if it does not."
        ) { $0.hasDeadLetters ? Number(1) : nil },
        MetricFamily(
            "beanrow_tube_clients", .gauge, labels: ["tube", "role"],
            help: "Connections to this broker that use or watch a tube or wait for its jobs. Absent if there are none.",
            .tubeClients),
    ]

    private static let activityFamilies: [MetricFamily] = [
        counter("beanrow_tube_puts_total", "Jobs that were put.", \.puts),
        counter("beanrow_tube_reserves_total", "Jobs that were given to clients of this broker.", \.reserves),
        counter("beanrow_tube_deletes_total", "Jobs that were deleted.", \.deletes),
        counter("beanrow_tube_releases_total", "Jobs that clients of this broker have released.", \.releases),
        counter(
            "beanrow_tube_buries_total", "Jobs that were buried, by a client of this broker or a policy.", \.buries),
        counter("beanrow_tube_kicks_total", "Jobs that clients of this broker have kicked.", \.kicks),
        counter("beanrow_tube_timeouts_total", "Reservations at this broker whose time was over.", \.timeouts),
        counter("beanrow_tube_body_bytes_total", "Bytes of the bodies that were put.", \.bodyBytes),
        MetricFamily(
            "beanrow_tube_wait_seconds", .histogram, labels: ["tube"],
            help: "Seconds from the put of a job to its first reserve.", .tubeHistogram(\.waited)),
        MetricFamily(
            "beanrow_tube_work_seconds", .histogram, labels: ["tube"],
            help: "Seconds from the reserve of a job to its delete.", .tubeHistogram(\.worked)),
    ]

    /// A counter of what this broker has done in a tube. A tube with which it had nothing to do since its start has no
    /// sample.
    private static func counter(
        _ name: String, _ help: String, _ count: @escaping @Sendable (TubeActivity) -> UInt64
    ) -> MetricFamily {
        .tube(name, .counter, toldBy: .each, help: help) { tube in
            tube.activity.isIdle ? nil : Number(count(tube.activity))
        }
    }
}

extension TubeActivity {
    /// Nothing was counted yet.
    var isIdle: Bool { puts | reserves | deletes | releases | buries | kicks | timeouts == 0 }
}
