import QueueCore

/// Jobs for people: found by filters, and told with their holders.
extension Statement {
    /// The ids above $1 that the filter may match, of few tubes ($2) and states ($3), by the indexes that have the tube.
    static let jobCandidates = Statement(
        name: "",
        sql: """
            select id from (
                select id from job where tube_id = any ($2::integer[]) and state = 0 and 0 = any ($3::smallint[])
                union all
                select id from job where tube_id = any ($2::integer[]) and state = 1 and 1 = any ($3::smallint[])
                union all
                select id from job where tube_id = any ($2::integer[]) and state = 2 and 2 = any ($3::smallint[])
            ) as candidate
            where id > $1::bigint
            order by id
            limit $4::integer
            """,
        columns: OnlyColumn<Int64>.self)

    /// The ids of jobs in these tubes ($1) that somebody has. They are near the beginning of the order in which jobs are
    /// reserved, so only that is read: 20,000 ready jobs of a tube, and 2000 of the other states.
    static let reservedCandidates = Statement(
        name: "",
        sql: """
            select found.id
            from unnest($1::integer[]) as tube (id)
            cross join lateral (
                select id from (
                    select id, reserved_at from job where tube_id = tube.id and state = 0 order by priority, id limit 20000
                ) as ready
                where reserved_at is not null
                union all
                select id from (
                    select id, reserved_at from job where tube_id = tube.id and state = 1 order by due_at, id limit 2000
                ) as delayed
                where reserved_at is not null
                union all
                select id from (
                    select id, reserved_at from job where tube_id = tube.id and state = 2 order by bury_order limit 2000
                ) as buried
                where reserved_at is not null
            ) as found
            where found.id > $2::bigint
            order by found.id
            limit $3::integer
            """,
        columns: OnlyColumn<Int64>.self)

    /// The last of the next $3 ids above $1, up to $2; NULL when there is none.
    static let lastOfNextIDs = Statement(
        name: "",
        sql: """
            select max(id) as value from (
                select id from job where id > $1::bigint and ($2::bigint is null or id <= $2) order by id limit $3::integer
            ) as next
            """,
        columns: OnlyColumn<Int64>.self)

    /// The ids that match, of those above $1 and up to $2.
    static let matchingInRange = Statement(
        name: "",
        sql: """
            select id from job
            where id > $1::bigint and id <= $2::bigint and \(matches)
            order by id
            limit $12::integer
            """,
        columns: OnlyColumn<Int64>.self)

    /// The ids that match, of these ($13).
    static let matchingAmong = Statement(
        name: "",
        sql: """
            select id from job
            where id > $1::bigint and ($2::bigint is null or id <= $2) and id = any ($13::bigint[]) and \(matches)
            order by id
            limit $12::integer
            """,
        columns: OnlyColumn<Int64>.self)

    /// Locks those of these jobs ($13) that match and that nobody has, and returns them.
    static let lockMatching = Statement(
        name: "",
        sql: """
            select id from job
            where id > $1::bigint and ($2::bigint is null or id <= $2) and id = any ($13::bigint[])
                and is_free(lease_epoch, array(select epoch from broker))
                and \(matches)
            order by id
            limit $12::integer
            for update skip locked
            """,
        columns: OnlyColumn<Int64>.self)

    /// Those of these jobs ($13) that match and that no client has.
    static let matchingInUse = Statement(
        name: "",
        sql: """
            select id from job
            where id > $1::bigint and ($2::bigint is null or id <= $2) and id = any ($13::bigint[])
                and not (reserved_at is not null and \(SQL.hasLivingHolder)) and \(matches)
            order by id
            limit $12::integer
            """,
        columns: OnlyColumn<Int64>.self)

    /// How many match, of those above $1 and up to $2.
    static let countInRange = Statement(
        name: "",
        sql: """
            select count(*) as value from job
            where id > $1::bigint and id <= $2::bigint and $12::integer is not null and \(matches)
            """,
        columns: OnlyColumn<Int64>.self)

    /// Tubes ($3), state ($4, 3 for reserved), ids ($5 to $6), priorities ($7 to $8), times of the put ($9 to $10), and a
    /// part of the body ($11).
    private static let matches = """
        ($3::integer[] is null or tube_id = any ($3))
            and ($4::smallint is null
                or (case when reserved_at is not null and \(SQL.hasLivingHolder) then 3 else state end) = $4)
            and ($5::bigint is null or id >= $5) and ($6::bigint is null or id <= $6)
            and ($7::bigint is null or priority >= $7) and ($8::bigint is null or priority <= $8)
            and ($9::bigint is null or created_at > timestamptz 'epoch' + $9 * interval '1 microsecond')
            and ($10::bigint is null or created_at < timestamptz 'epoch' + $10 * interval '1 microsecond')
            and ($11::bytea is null or position($11 in body) > 0)
        """

    /// Jobs by their ids ($1), with who has them.
    static let jobSummaries = Statement(
        name: "",
        sql: """
            select
                job.id, tube.name as tube,
                (case when held.epoch is not null or taken.job_id is not null then 3 else job.state end)::smallint as state,
                job.priority, job.ttr, job.delay, job.created_at, job.due_at as ready_at,
                case when held.epoch is not null or taken.job_id is not null then job.reserved_at end as reserved_at,
                case when held.epoch is not null or taken.job_id is not null then job.reserved_until end as reserved_until,
                job.first_reserved_at, job.last_reserved_at,
                job.reserves, job.timeouts, job.releases, job.buries, job.kicks, job.key,
                octet_length(job.body) as body_bytes, substring(job.body from 1 for 1024) as preview,
                held.epoch as broker, held.host as broker_host, held.pid as broker_pid,
                taken.pid as sql_session, taken.login::text as sql_login, taken.holder as sql_holder
            from job
            join tube on tube.id = job.tube_id
            left join broker as held on held.epoch = job.lease_epoch and job.reserved_at is not null
            left join sql_lease as taken
                on taken.job_id = job.id and job.lease_epoch < 0 and taken.until > now()
            where job.id = any ($1::bigint[])
            order by job.id
            """,
        columns: JobSummaryColumns.self)

    /// The beginning of a body, up to $2 bytes, and its length.
    static let jobBody = Statement(
        name: "",
        sql: """
            select substring(body from 1 for $2::integer) as body, octet_length(body) as bytes from job where id = $1::bigint
            """,
        columns: BodyColumns.self)

    /// The tubes of these names ($1).
    static let tubesNamed = Statement(
        name: "", sql: "select id from tube where name = any ($1::text[])", columns: OnlyColumn<TubeID>.self)

    /// The tubes whose names begin so.
    static let tubesWithPrefix = Statement(
        name: "", sql: "select id from tube where starts_with(name, $1::text) limit 20000",
        columns: OnlyColumn<TubeID>.self)

    /// How many jobs these tubes ($1) have by stored state, of those that have any.
    static let tubeCounts = Statement(
        name: "",
        sql: """
            select tube.id as tube_id,
                (coalesce(counted.ready, 0) + coalesce(uncounted.ready, 0))::bigint as ready,
                (coalesce(counted.delayed, 0) + coalesce(uncounted.delayed, 0))::bigint as delayed,
                (coalesce(counted.buried, 0) + coalesce(uncounted.buried, 0))::bigint as buried
            from unnest($1::integer[]) as tube (id)
            left join tube_count as counted on counted.tube_id = tube.id
            left join (
                select tube_id, sum(ready) as ready, sum(delayed) as delayed, sum(buried) as buried
                from uncounted_change
                group by tube_id
            ) as uncounted on uncounted.tube_id = tube.id
            """,
        columns: StoredCountColumns.self)
}
