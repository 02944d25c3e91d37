/// A prepared statement. All SQL of the running broker is in `Statements*.swift`; schema is only in migrations/.
/// Names are unqualified: each session's search_path is the schema of its instance.
struct Statement: Sendable {
    /// How the planner shall join.
    enum Joins: Sendable {
        /// As the session does: row by row, by an index.
        case byIndex
        /// Of two sets that may both be large: one pass over each.
        case inBulk
    }

    let name: String
    let sql: String
    var joins = Joins.byIndex

    /// What a transaction begins with that runs this statement. The plan that is made then is kept for it.
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
    /// Nobody alive has the lease of a job (see `is_free` in migrations/). The planner puts the expression in the place
    /// of the call, and computes the list of the living, who are few, once per statement.
    static let isFree = "is_free(lease_epoch, array(select epoch from broker))"

    /// Takes a lease: a reservation that its last holder did not live to end goes, this broker's own stays.
    static func lease(to epoch: String) -> String {
        """
        lease_epoch = \(epoch),
        reserved_at = case when lease_epoch = \(epoch) then reserved_at end,
        reserved_until = case when lease_epoch = \(epoch) then reserved_until end
        """
    }

    /// When a job was reserved, from `new.first` and `new.last`: microseconds ago, -1 for never. What the row knows of
    /// the first time is older than what a broker knows.
    static let reservations = """
        first_reserved_at =
            coalesce(job.first_reserved_at, now() - nullif(new.first, -1) * interval '1 microsecond'),
        last_reserved_at = coalesce(now() - nullif(new.last, -1) * interval '1 microsecond', job.last_reserved_at)
        """

    /// What a statement that changes jobs of this broker has not found: after a CTE `found` of those that it has, the
    /// others of the ids ($2) with whether they are there. Mostly none. An `exists` might become a walk of the index.
    static let missing = """
        select id, coalesce((select true from job where job.id = wanted.id), false)
        from unnest($2::bigint[]) as wanted (id)
        where id not in (select id from found)
        """

    static let hasLivingHolder =
        "(job.lease_epoch < 0 or job.lease_epoch = any (array(select epoch from broker)))"

    /// What `JobRow` is read from; `body` is chosen by each statement. No length of time ends, or begins, at infinity.
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

    /// Microseconds until the end of a tube's pause.
    static let pauseLeft = """
        greatest(
            0, coalesce((extract(epoch from \(finite("tube.paused_until")) - clock_timestamp()) * 1e6)::bigint, 0))
        """

    /// NULL instead of infinity, of which no difference can be taken.
    static func finite(_ time: String) -> String { "case when isfinite(\(time)) then \(time) end" }

    /// What `Readied` is read from, after a CTE `moved(tube_id, was, priority, id)`.
    static let readied = """
        select
            tube_id, was, count(*)::integer, (count(*) filter (where priority < 1024))::integer,
            min(priority), (array_agg(id order by priority, id))[1]
        from moved
        group by tube_id, was
        """
}
