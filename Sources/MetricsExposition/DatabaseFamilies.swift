/// What the database says of itself, told by one broker of the queue.
extension Metrics {
    static let databaseFamilies: [MetricFamily] = [
        .value("beanrow_job_table_bytes", .gauge, toldBy: .one, help: "Bytes of the table of jobs, with its indexes.") {
            $0.database.map { Number($0.jobTableBytes) }
        },
        MetricFamily(
            "beanrow_dead_rows", .gauge, labels: ["table"], toldBy: .one,
            help: "Rows that a vacuum has yet to clean up.",
            .labelled { facts in facts.database?.deadRows.map { ([$0.table], Number($0.rows)) } ?? [] }),
        .value(
            "beanrow_oldest_snapshot_seconds", .gauge, toldBy: .one,
            help: "Seconds that the oldest transaction that keeps dead rows from being cleaned up has lasted."
        ) { $0.database.map { Number($0.oldestSnapshot) } },
        MetricFamily(
            "beanrow_warnings", .gauge, labels: ["warning"], toldBy: .one, help: "Rows of the view warnings.",
            .labelled { facts in facts.database?.warnings.map { ([$0.warning], Number($0.count)) } ?? [] }),
    ]
}
