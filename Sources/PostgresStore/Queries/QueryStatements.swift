/// The statements of queries: about jobs that are not in the broker's memory, found by key or by index.
///
/// None says `id = ... and state = ...`: the planner might walk the partial index of that state, with its dead entries.
/// The state is checked after the row has been found by its id.
extension Statement {
    static let queryRunner: [Statement] = [
        begin, commit, rollback, ledger, claimLedger, refill, refillSole, poll, fetchBody, reserve,
        deleteUnleased, deleteToHistory, releaseFlawed, kick, kickJob, peek, firstReady, firstDelayed, firstBuried,
        describe, findTube, sweep, nextDue, endLeases, openTube, pause, putUnique, findUnique,
    ]

    /// SQL sessions may keep locks for as long as they like: the queries of others do not wait for that.
    static let queryRunnerSettings = "set lock_timeout to '\(StoreTiming.lockTimeout.setting)'"

    static let begin = Statement(name: "begin", sql: "begin")
    static let commit = Statement(name: "commit", sql: "commit")
    static let rollback = Statement(name: "rollback", sql: "rollback")

    /// A keyset from the horizon, then the rows by an array of ids: fast also under a held snapshot.
    static let refill = Statement(
        name: "refill",
        sql: """
            update job set \(SQL.lease(to: "$6::bigint"))
            where id = any (array(
                select id from job
                where tube_id = $1::integer and state = 0 and (priority, id) >= ($2::bigint, $3::bigint)
                    and \(SQL.isFree)
                order by priority, id
                limit $4::bigint
                for update skip locked))
            returning \(SQL.jobColumns), case when octet_length(body) <= $5::bigint then body end as body
            """,
        columns: JobColumns.self)

    /// The sole broker's refill: no lease is checked, and none is taken.
    static let refillSole = Statement(
        name: "refill_sole",
        sql: """
            select \(SQL.jobColumns), case when octet_length(body) <= $5::bigint then body end as body
            from job
            where tube_id = $1::integer and state = 0 and (priority, id) >= ($2::bigint, $3::bigint)
            order by priority, id
            limit $4::bigint
            """,
        columns: JobColumns.self)

    /// A tube without jobs is found if it has a pause or a policy.
    static let findTube = Statement(
        name: "find_tube",
        sql: """
            select *
            from (
                select
                    tube.id, tube.name, tube.pause,
                    case when tube.paused_until is not null then \(SQL.pauseLeft) end as pause_left,
                    coalesce(count.urgent, 0) + uncounted.urgent as urgent,
                    coalesce(count.ready, 0) + uncounted.ready as ready,
                    coalesce(count.delayed, 0) + uncounted.delayed as delayed,
                    coalesce(count.buried, 0) + uncounted.buried as buried,
                    held.urgent as held_urgent, held.ready as held_ready, held.delayed as held_delayed,
                    held.buried as held_buried,
                    exists (select from tube_policy where tube_policy.tube_id = tube.id) as has_policy
                from tube
                left join tube_count as count on count.tube_id = tube.id
                cross join lateral (
                    select coalesce(sum(urgent), 0)::bigint as urgent, coalesce(sum(ready), 0)::bigint as ready,
                        coalesce(sum(delayed), 0)::bigint as delayed, coalesce(sum(buried), 0)::bigint as buried
                    from uncounted_change
                    where uncounted_change.tube_id = tube.id
                ) as uncounted
                cross join lateral (
                    select coalesce(sum(urgent), 0)::bigint as urgent, coalesce(sum(ready), 0)::bigint as ready,
                        coalesce(sum(delayed), 0)::bigint as delayed, coalesce(sum(buried), 0)::bigint as buried
                    from (
                        select urgent, ready, delayed, buried
                        from tube_held
                        where tube_held.tube_id = tube.id and epoch = any (array(select epoch from broker))
                        union all
                        select (priority < 1024)::integer, 1, 0, 0
                        from sql_lease
                        where sql_lease.tube_id = tube.id
                    ) as part (urgent, ready, delayed, buried)
                ) as held
                where tube.name = $1::text
            ) as found
            where ready > 0 or delayed > 0 or buried > 0 or pause_left > 0 or has_policy
            """,
        columns: TubeColumns.self)

    static let poll = Statement(
        name: "poll",
        sql: """
            select tube.id as tube_id, first.priority, first.id as job_id
            from unnest($1::integer[]) as tube (id)
            cross join lateral (
                select priority, job.id from job
                where tube_id = tube.id and state = 0 and \(SQL.isFree)
                order by priority, job.id
                limit 1
            ) as first
            """,
        columns: FirstKeyColumns.self)

    static let fetchBody = Statement(
        name: "fetch_body",
        sql: "select body from job where id = $1::bigint and (lease_epoch = $2::bigint or $3::boolean)",
        columns: OnlyColumn<[UInt8]>.self)

    static let reserve = Statement(
        name: "reserve",
        sql: """
            update job set \(SQL.lease(to: "$2::bigint"))
            where id = any (array(
                select id from job where id = $1::bigint and (\(SQL.isFree) or lease_epoch = $2::bigint)
                for update nowait))
            returning \(SQL.jobColumns), body, \(hasTube)
            """,
        columns: JobColumns.self)

    private static let hasTube = "coalesce((select true from tube where tube.id = job.tube_id), false) as has_tube"

    /// Gives back the leases of flawed rows, in the transaction of the claim that has taken them.
    static let releaseFlawed = Statement(
        name: "release_flawed", sql: "update job set lease_epoch = null where id = any ($1::bigint[])")

    static let deleteUnleased = Statement(
        name: "delete_unleased",
        sql: """
            delete from job
            where id = any (array(
                select id from job where id = $1::bigint and (\(SQL.isFree) or lease_epoch = $2::bigint)
                for update nowait))
            returning \(SQL.jobColumns), null::bytea as body
            """,
        columns: JobColumns.self)

    /// Buried jobs in the order of their burial; if there are none, delayed jobs, the soonest first.
    static let kick = Statement(
        name: "kick",
        sql: """
            with buried as materialized (
                select id, state from job
                where tube_id = $1::integer and state = 2 and \(SQL.isFree) and $3::integer <> 1
                order by bury_order
                limit $2::bigint
                for update skip locked
            ), delayed as materialized (
                select id, state from job
                where tube_id = $1::integer and state = 1 and \(SQL.isFree) and $3::integer <> 2
                    and not exists (select from buried)
                order by due_at, id
                limit $2::bigint
                for update skip locked
            ), moved as (
                update job set \(kicked)
                where id = any (array(select id from buried union all select id from delayed))
                returning tube_id, case when exists (select from buried) then 2 else 1 end::smallint as was, priority, id
            )
            \(SQL.readied)
            """,
        columns: ReadiedColumns.self)

    /// How a kick changes a row.
    private static let kicked = """
        state = 0, bury_order = null, lease_epoch = null, reserved_at = null, reserved_until = null,
        due_at = now(), kicks = least(kicks, 2147483646) + 1
        """

    static let kickJob = Statement(
        name: "kick_job",
        sql: """
            with old as materialized (
                select id, state from job
                where id = $1::bigint and \(SQL.isFree)
                for update nowait
            ), moved as (
                update job set \(kicked)
                from old
                where job.id = $1::bigint and old.state in (1, 2)
                returning tube_id, old.state as was, priority, job.id
            )
            \(SQL.readied)
            """,
        columns: ReadiedColumns.self)

    static let peek = Statement(
        name: "peek", sql: "select \(SQL.jobColumns), body from job where id = $1::bigint",
        columns: JobColumns.self)

    static let describe = Statement(
        name: "describe",
        sql: "select \(SQL.jobColumns), null::bytea as body, \(hasTube) from job where id = $1::bigint",
        columns: JobColumns.self)

    static let firstReady = first("first_ready", state: 0, order: "priority, id")
    static let firstDelayed = first("first_delayed", state: 1, order: "due_at, id")
    static let firstBuried = first("first_buried", state: 2, order: "bury_order")

    private static func first(_ name: String, state: Int, order: String) -> Statement {
        Statement(
            name: name,
            sql: """
                select \(SQL.jobColumns), body from job
                where tube_id = $1::integer and state = \(state) and \(SQL.isFree) and id <> all ($2::bigint[])
                order by \(order)
                limit 1
                """,
            columns: JobColumns.self)
    }

    static let sweep = Statement(
        name: "sweep",
        sql: """
            with moved as (
                update job set state = 0, lease_epoch = null, reserved_at = null, reserved_until = null
                where id = any (array(
                    select id from job
                    where state = 1 and due_at <= statement_timestamp() and \(SQL.isFree)
                    order by due_at
                    limit $1::bigint
                    for update skip locked))
                returning tube_id, 1::smallint as was, priority, id
            )
            \(SQL.readied)
            """,
        columns: ReadiedColumns.self)

    static let nextDue = Statement(
        name: "next_due",
        sql: """
            select (extract(epoch from due_at - clock_timestamp()) * 1e6)::bigint from job
            where state = 1 and \(SQL.isFree) and isfinite(due_at)
            order by due_at
            limit 1
            """,
        columns: OnlyColumn<Int64>.self)

    /// Makes the tube if it is missing. No row while a SQL session makes the tube or changes its pause: the end of that
    /// transaction decides. A tube that is about to be removed stays.
    static let openTube = Statement(
        name: "open_tube", sql: "select id, is_new from make_tube($1::text)", columns: MadeTubeColumns.self)

    static let pause = Statement(
        name: "pause", sql: "select id, is_new from pause_tube($1::text, $2::bigint)", columns: MadeTubeColumns.self)
}
