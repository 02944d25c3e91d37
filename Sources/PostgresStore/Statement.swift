/// A prepared statement. All SQL of the running broker is in `Statements*.swift`; schema is only in migrations/.
/// Names are unqualified: each session's search_path is the schema of its instance.
struct Statement: Sendable {
    let name: String
    let sql: String
}

/// Pieces that statements share.
enum SQL {
    /// Nobody alive has the lease. The living are few: their list is computed once per statement.
    static let isFree =
        "(lease_epoch is null or lease_epoch <> all (array(select epoch from broker)))"

    /// What `JobRow` is read from; `body` is chosen by each statement.
    static let jobColumns = """
        job.id, job.tube_id, job.state, job.priority, job.ttr, job.delay,
        (extract(epoch from clock_timestamp() - job.created_at) * 1e6)::bigint as age,
        (extract(epoch from coalesce(job.reserved_until, job.due_at) - clock_timestamp()) * 1e6)::bigint as time_left,
        coalesce(job.reserved_at is not null and job.lease_epoch = any (array(select epoch from broker)), false)
            as is_reserved,
        job.reserves, job.timeouts, job.releases, job.buries, job.kicks
        """

    /// What `Readied` is read from, after a CTE `moved(tube_id, was, priority, id)`.
    static let readied = """
        select
            tube_id, was, count(*)::integer, (count(*) filter (where priority < 1024))::integer,
            min(priority), (array_agg(id order by priority, id))[1]
        from moved
        group by tube_id, was
        """
}
