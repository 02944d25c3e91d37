/// A prepared statement. All SQL of the running broker is in files called `*Statements.swift` and in `SQL` below; the
/// schema is in migrations/ only. Names are unqualified: each session's search_path is the schema of its instance.
struct Statement: Sendable {
    /// How the planner joins.
    enum Joins: Sendable {
        /// As the session does: row by row, by an index.
        case byIndex
        /// Two sets that may both be large: one pass over each.
        case inBulk
    }

    let name: String
    let sql: String
    var joins = Joins.byIndex
    /// The columns that its rows are read by. They are checked when the statement is prepared.
    var columns: (any RowColumns.Type)?

    /// The settings of a transaction that runs this statement. PostgreSQL keeps the plan that it makes under them.
    var settings: String? {
        switch joins {
        case .byIndex: nil
        case .inBulk:
            """
            set local enable_hashjoin to on; set local enable_mergejoin to on; set local enable_nestloop to off;
            set local work_mem to '32MB'
            """
        }
    }
}

/// Pieces that statements share.
enum SQL {
    /// True if no living broker or SQL session has the lease of a job (see `is_free` in migrations/). The planner inlines
    /// the call, and computes the list of the living brokers, who are few, once per statement.
    static let isFree = "is_free(lease_epoch, array(select epoch from broker))"

    /// Takes a lease. A reservation that its last holder did not live to end goes; this broker's own stays.
    static func lease(to epoch: String) -> String {
        """
        lease_epoch = \(epoch),
        reserved_at = case when lease_epoch = \(epoch) then reserved_at end,
        reserved_until = case when lease_epoch = \(epoch) then reserved_until end
        """
    }

    /// The first and the last reservation, from `new.first` and `new.last`: microseconds ago, -1 for never. The row's
    /// first time is older than the broker's, so it stays.
    static let reservations = """
        first_reserved_at =
            coalesce(job.first_reserved_at, now() - nullif(new.first, -1) * interval '1 microsecond'),
        last_reserved_at = coalesce(now() - nullif(new.last, -1) * interval '1 microsecond', job.last_reserved_at)
        """

    /// `MissingJobColumns`, after a CTE `found` of the jobs that a statement has changed: the others of the ids ($2), and
    /// whether their rows exist. Usually there are none. With `exists` the planner might scan the whole index.
    static let missing = """
        select id, coalesce((select true from job where job.id = wanted.id), false) as is_there
        from unnest($2::bigint[]) as wanted (id)
        where id not in (select id from found)
        """

    static let hasLivingHolder =
        "(job.lease_epoch < 0 or job.lease_epoch = any (array(select epoch from broker)))"

    /// The columns of `JobColumns`, but for `body`, which each statement chooses. A length of time to or from an infinite
    /// one is NULL.
    static let jobColumns = """
        job.id, job.tube_id, job.state, job.priority, job.ttr, job.delay,
        (extract(epoch from clock_timestamp() - \(finite("job.created_at"))) * 1e6)::bigint as age,
        (extract(epoch from case
            when \(hasLivingHolder) and isfinite(job.reserved_until) then job.reserved_until
            when isfinite(job.due_at) then job.due_at end - clock_timestamp()) * 1e6)::bigint as time_left,
        coalesce(job.reserved_at is not null and \(hasLivingHolder), false)
            as is_reserved,
        job.reserves, job.timeouts, job.releases, job.buries, job.kicks, job.lease_epoch
        """

    /// The microseconds until the end of a tube's pause.
    static let pauseLeft = """
        greatest(
            0, coalesce((extract(epoch from \(finite("tube.paused_until")) - clock_timestamp()) * 1e6)::bigint, 0))
        """

    /// NULL instead of infinity: PostgreSQL cannot subtract from it.
    static func finite(_ time: String) -> String { "case when isfinite(\(time)) then \(time) end" }

    /// The columns of `ReadiedColumns`, after a CTE `moved(tube_id, was, priority, id)`.
    static let readied = """
        select
            tube_id, was, count(*)::integer as count, (count(*) filter (where priority < 1024))::integer as urgent,
            min(priority) as priority, (array_agg(id order by priority, id))[1] as id
        from moved
        group by tube_id, was
        """
}
