import QueueCore

/// Brokers, policies, warnings and the history, for people.
extension Statement {
    static let adminBrokers = Statement(
        name: "",
        sql: """
            select epoch, host, pid, started_at, heartbeat_at, heartbeat_at > now() - interval '5 seconds' as is_alive,
                is_sole, max_job_size
            from broker
            order by epoch
            """,
        columns: AdminBrokerColumns.self)

    /// The policies of all tubes, or of one ($1).
    static let adminPolicies = Statement(
        name: "",
        sql: """
            select tube.name as tube, policy.bury_after_timeouts, policy.bury_after_releases, policy.max_ready,
                extract(epoch from policy.history)::double precision as history_seconds, policy.history_body
            from tube_policy as policy
            join tube on tube.id = policy.tube_id
            where $1::text is null or tube.name = $1
            order by tube.name
            limit 10000
            """,
        columns: AdminPolicyColumns.self)

    static let adminWarnings = Statement(
        name: "", sql: "select warning, object, since, amount, unit, hint from warnings limit 1000",
        columns: AdminWarningColumns.self)

    /// What all brokers and SQL sessions did in each tube, in the last 10 s that every broker has told of.
    static let recentSamples = Statement(
        name: "",
        sql: """
            select tube, (extract(epoch from at) * 1e6)::bigint as at, puts, deletes from tube_sample
            where at = date_bin('10 s', now() - interval '12 s', 'epoch') and tube <> ''
            """,
        columns: SparklineColumns.self)

    static let warningCount = Statement(
        name: "", sql: "select count(*) as value from warnings", columns: OnlyColumn<Int64>.self)

    /// Tubes whose clients, of any broker, have jobs.
    static let tubesWithHeldJobs = Statement(
        name: "",
        sql: """
            select tube_id as value from tube_held join broker using (epoch) where ready + delayed + buried > 0
            union
            select tube_id from sql_lease where until > now()
            limit 2000
            """,
        columns: OnlyColumn<TubeID>.self)

    /// The last of the $5 newest jobs that ended in this time ($1 to $2), before ($3, $4) in that order.
    static let lastOfNextEnded = Statement(
        name: "",
        sql: """
            select (extract(epoch from finished_at) * 1e6)::bigint as finished_microseconds, id
            from (
                select finished_at, id from job_history
                where finished_at >= timestamptz 'epoch' + $1::bigint * interval '1 microsecond'
                    and finished_at < timestamptz 'epoch' + $2::bigint * interval '1 microsecond'
                    and ($3::bigint is null or
                        (finished_at, id) < (timestamptz 'epoch' + $3 * interval '1 microsecond', $4::bigint))
                order by finished_at desc, id desc
                limit $5::integer
            ) as next
            order by finished_at, id
            limit 1
            """,
        columns: EndedKeyColumns.self)

    /// The newest jobs that ended in this time ($1 to $2), before ($3, $4) and from ($10, $11) in that order, of a tube
    /// ($5), with an outcome ($6: true for finished) and an id ($7). The times choose the partitions.
    static let endedJobs = Statement(
        name: "",
        sql: """
            select
                ended.id, tube.name as tube, ended.state, ended.priority, ended.ttr, ended.created_at,
                ended.first_reserved_at, ended.last_reserved_at, ended.finished_at,
                ended.reserves, ended.timeouts, ended.releases, ended.buries, ended.kicks,
                (extract(epoch from ended.finished_at) * 1e6)::bigint as finished_microseconds,
                case when $9::boolean then ended.body end as body
            from job_history as ended
            join tube on tube.id = ended.tube_id
            join tube_policy as policy on policy.tube_id = ended.tube_id and ended.finished_at > now() - policy.history
            where ended.finished_at >= timestamptz 'epoch' + $1::bigint * interval '1 microsecond'
                and ended.finished_at < timestamptz 'epoch' + $2::bigint * interval '1 microsecond'
                and ($3::bigint is null
                    or (ended.finished_at, ended.id) < (timestamptz 'epoch' + $3 * interval '1 microsecond', $4::bigint))
                and ($10::bigint is null
                    or (ended.finished_at, ended.id)
                        >= (timestamptz 'epoch' + $10 * interval '1 microsecond', $11::bigint))
                and ($5::text is null or tube.name = $5)
                and ($6::boolean is null or (ended.state = 3) = $6)
                and ($7::bigint is null or ended.id = $7)
            order by ended.finished_at desc, ended.id desc
            limit $8::integer
            """,
        columns: EndedJobColumns.self)

    /// The days (UTC) that have a partition with rows, newest first: days since 1970.
    static let historyDays = Statement(
        name: "",
        sql: """
            select (to_date(right(relname, 8), 'YYYYMMDD') - date '1970-01-01')::bigint as value
            from pg_inherits
            join pg_class on pg_class.oid = pg_inherits.inhrelid
            where inhparent = 'job_history'::regclass and relname ~ '^job_history_[0-9]{8}$'
            order by value desc
            """,
        columns: OnlyColumn<Int64>.self)
}
