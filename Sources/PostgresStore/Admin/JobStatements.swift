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
    /// reserved, so only that is read: $4 ready jobs of a tube, and up to 2000 of each of the
    /// other states.
    static let reservedCandidates = Statement(
        name: "",
        sql: """
            select found.id
            from unnest($1::integer[]) as tube (id)
            cross join lateral (
                select id from (
                    select id, reserved_at from job where tube_id = tube.id and state = 0 order by priority, id limit $4::integer
                ) as ready
                where reserved_at is not null
                union all
                select id from (
                    select id, reserved_at from job where tube_id = tube.id and state = 1 order by due_at, id limit least($4, 2000)
                ) as delayed
                where reserved_at is not null
                union all
                select id from (
                    select id, reserved_at from job where tube_id = tube.id and state = 2 order by bury_order limit least($4, 2000)
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

    /// Locks those of these jobs ($13) that match and that nobody has, and returns them. The sole broker has every ready
    /// job.
    static let lockMatching = Statement(
        name: "",
        sql: """
            select id from job
            where id > $1::bigint and ($2::bigint is null or id <= $2) and id = any ($13::bigint[])
                and is_free(lease_epoch, array(select epoch from broker))
                and (state <> 0 or not exists (select from broker where is_sole)) and \(matches)
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

    /// How many jobs of these tubes ($1) somebody has, as published about once a second.
    static let heldJobs = Statement(
        name: "",
        sql: """
            select coalesce((
                    select sum(ready + delayed + buried) from tube_held join broker using (epoch)
                    where tube_id = any ($1::integer[])), 0)::bigint
                + (select count(*) from sql_lease where tube_id = any ($1::integer[])) as value
            """,
        columns: OnlyColumn<Int64>.self)

    /// The tubes that have jobs in a state ($1).
    static let tubesWithJobs = Statement(
        name: "",
        sql: """
            select tube_id as value from tube_count
            where case $1::smallint when 0 then ready when 1 then delayed else buried end > 0
            union
            select tube_id from uncounted_change
            where case $1::smallint when 0 then ready when 1 then delayed else buried end > 0
            limit 20001
            """,
        columns: OnlyColumn<TubeID>.self)

    /// How many jobs these tubes ($1) have by stored state, together.
    static let tubeCounts = Statement(
        name: "",
        sql: """
            select coalesce(sum(ready), 0)::bigint as ready, coalesce(sum(delayed), 0)::bigint as delayed,
                coalesce(sum(buried), 0)::bigint as buried
            from (
                select ready, delayed, buried from tube_count where tube_id = any ($1::integer[])
                union all
                select ready, delayed, buried from uncounted_change where tube_id = any ($1::integer[])
            ) as part
            """,
        columns: StoredCountColumns.self)
}
