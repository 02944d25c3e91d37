/// The statements that write samples. Times of steps are microseconds since 1970.
extension Statement {
    static let sampling: [Statement] = [
        sampleClock, writeSamples, oldestReady, knownLevels, knownOldest, nextSum, samplesOfStep, writeSums,
        keepSamples,
    ]

    /// A chart does not wait for the disk; a lost second of it is no harm.
    static let samplesNeedNoDisk = "set local synchronous_commit to off"

    /// The step of 10 s that has just ended, or is about to, and the clock. What is told up to 5 s before the end of a step
    /// or after it belongs to that step.
    static let sampleClock = Statement(
        name: "sample_clock",
        sql: """
            select
                (extract(epoch from date_bin('10 s', clock_timestamp() - interval '5 s', 'epoch')) * 1e6)::bigint
                    as step,
                (extract(epoch from clock_timestamp()) * 1e6)::bigint as clock
            """,
        columns: SampleClockColumns.self)

    /// The rows that are to be written, from the parameters.
    private static let newSamples = """
        new as materialized (
            select
                tube, puts, reserves, deletes, releases, buries, kicks, timeouts, body_bytes,
                nullif(urgent, -1) as urgent, nullif(ready, -1) as ready, nullif(reserved, -1) as reserved,
                nullif(delayed, -1) as delayed, nullif(buried, -1) as buried,
                timestamptz 'epoch' + nullif(oldest, -1) * interval '1 microsecond' as oldest_ready_at,
                nullif(waited, '')::integer[] as waited, nullif(worked, '')::integer[] as worked
            from unnest(
                $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[],
                $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[],
                $15::bigint[], $16::bigint[], $17::text[], $18::text[]
            ) as new (
                tube, puts, reserves, deletes, releases, buries, kicks, timeouts, body_bytes, urgent, ready,
                reserved, delayed, buried, oldest, waited, worked)
        )
        """

    /// Adds to the rows of a step ($1), in the order of their names: brokers that write the same rows do not block each
    /// other in a circle. Numbers of jobs, if there are any ($10 is not -1), take the place of those before.
    static let writeSamples = Statement(
        name: "write_samples",
        sql: """
            with \(newSamples), gone as (
                delete from tube_level using new
                where tube_level.tube = new.tube and new.tube <> ''
                    and new.ready + new.reserved + new.delayed + new.buried = 0
            ), level as (
                insert into tube_level (tube, urgent, ready, reserved, delayed, buried, oldest_ready_at)
                select tube, urgent, ready, reserved, delayed, buried, oldest_ready_at from new
                where ready is not null and (tube = '' or ready + reserved + delayed + buried > 0)
                order by tube
                on conflict (tube) do update set
                    urgent = excluded.urgent, ready = excluded.ready, reserved = excluded.reserved,
                    delayed = excluded.delayed, buried = excluded.buried,
                    oldest_ready_at = excluded.oldest_ready_at
            )
            insert into tube_sample as known (
                at, tube, puts, reserves, deletes, releases, buries, kicks, timeouts, body_bytes, urgent, ready,
                reserved, delayed, buried, oldest_ready_at, waited, worked)
            select timestamptz 'epoch' + $1::bigint * interval '1 microsecond', new.*
            from new
            order by tube
            on conflict (at, tube) do update set
                puts = known.puts + excluded.puts, reserves = known.reserves + excluded.reserves,
                deletes = known.deletes + excluded.deletes, releases = known.releases + excluded.releases,
                buries = known.buries + excluded.buries, kicks = known.kicks + excluded.kicks,
                timeouts = known.timeouts + excluded.timeouts, body_bytes = known.body_bytes + excluded.body_bytes,
                urgent = coalesce(excluded.urgent, known.urgent), ready = coalesce(excluded.ready, known.ready),
                reserved = coalesce(excluded.reserved, known.reserved),
                delayed = coalesce(excluded.delayed, known.delayed), buried = coalesce(excluded.buried, known.buried),
                oldest_ready_at =
                    case when excluded.ready is null then known.oldest_ready_at else excluded.oldest_ready_at end,
                waited = \(added("waited")), worked = \(added("worked"))
            """)

    /// The sum of two arrays, element by element; the shorter one goes on with zeros.
    private static func added(_ column: String) -> String {
        """
        case
            when excluded.\(column) is null then known.\(column)
            when known.\(column) is null then excluded.\(column)
            else array(
                select coalesce(pair.a, 0) + coalesce(pair.b, 0)
                from unnest(known.\(column), excluded.\(column)) with ordinality as pair (a, b, place)
                order by pair.place)
        end
        """
    }

    /// When the job became ready that has been ready for the longest time, for each tube ($1) of which clients have as many
    /// jobs ($2). Looks at the first eight priorities, and at each at the first jobs by id: as many as clients have, up to
    /// 1000, and ten more. So it costs the same with a million jobs, and is exact as long as jobs became ready about in the
    /// order of their ids.
    static let oldestReady = Statement(
        name: "oldest_ready",
        sql: """
            select wanted.tube_id, (extract(epoch from found.due_at) * 1e6)::bigint as oldest
            from unnest($1::integer[], $2::bigint[]) as wanted (tube_id, held)
            cross join lateral (
                with recursive level as (
                    (
                        select priority, 1 as number from job
                        where tube_id = wanted.tube_id and state = 0
                        order by priority, id limit 1
                    )
                    union all
                    select next.priority, level.number + 1
                    from level
                    cross join lateral (
                        select priority from job
                        where tube_id = wanted.tube_id and state = 0 and priority > level.priority
                        order by priority, id limit 1
                    ) as next
                    where level.number < 8
                )
                select min(first.due_at) filter (where first.reserved_at is null and isfinite(first.due_at)) as due_at
                from level
                cross join lateral (
                    select due_at, reserved_at from job
                    where tube_id = wanted.tube_id and state = 0 and priority = level.priority
                    order by id limit least(wanted.held, 1000) + 10
                ) as first
            ) as found
            where found.due_at is not null
            """,
        columns: OldestReadyColumns.self)

    /// What samples have last told of each tube.
    static let knownLevels = Statement(
        name: "known_levels",
        sql: """
            select
                tube, urgent, ready, reserved, delayed, buried,
                (extract(epoch from oldest_ready_at) * 1e6)::bigint as oldest
            from tube_level
            """,
        columns: KnownLevelColumns.self)

    /// The ages that another broker has looked up.
    static let knownOldest = Statement(
        name: "known_oldest",
        sql: """
            select tube, (extract(epoch from oldest_ready_at) * 1e6)::bigint as oldest from tube_level
            where oldest_ready_at is not null
            """,
        columns: KnownOldestColumns.self)

    /// The first 5 minutes that are over and have not been added up, if there are any. Samples may come 20 s late.
    static let nextSum = Statement(
        name: "next_sum",
        sql: """
            select (extract(epoch from date_bin('5 minutes', first.at, 'epoch')) * 1e6)::bigint as step
            from (
                select at from tube_sample
                where tube = '' and ready is not null
                    and at >= coalesce(
                        (
                            select last.at + interval '5 minutes' from tube_sample_5min as last
                            where last.tube = '' and last.ready is not null and last.at <= clock_timestamp()
                            order by last.at desc limit 1
                        ), '-infinity')
                order by at limit 1
            ) as first
            where date_bin('5 minutes', first.at, 'epoch') + interval '5 minutes 20 s' <= clock_timestamp()
            """,
        columns: OnlyColumn<Int64>.self)

    /// Up to $3 rows of a step ($1), from a tube ($2) on.
    static let samplesOfStep = Statement(
        name: "samples_of_step",
        sql: """
            select
                tube, puts, reserves, deletes, releases, buries, kicks, timeouts, body_bytes, urgent, ready, reserved,
                delayed, buried, (extract(epoch from oldest_ready_at) * 1e6)::bigint as oldest,
                waited::text as waited, worked::text as worked
            from tube_sample
            where at = timestamptz 'epoch' + $1::bigint * interval '1 microsecond' and tube >= $2::text
            order by tube
            limit $3::bigint
            """,
        columns: StepColumns.self)

    /// Writes sums of 5 minutes, with the parameters of `writeSamples`.
    static let writeSums = Statement(
        name: "write_sums",
        sql: """
            with \(newSamples)
            insert into tube_sample_5min (
                at, tube, puts, reserves, deletes, releases, buries, kicks, timeouts, body_bytes, urgent, ready,
                reserved, delayed, buried, oldest_ready_at, waited, worked)
            select timestamptz 'epoch' + $1::bigint * interval '1 microsecond', new.*
            from new
            order by tube
            on conflict do nothing
            """)

    static let keepSamples = Statement(name: "keep_samples", sql: "select keep_samples()")
}

struct SampleClockColumns: RowColumns {
    let step: Column<Int64>
    let clock: Column<Int64>

    init(_ column: inout ColumnFinder) {
        step = column("step")
        clock = column("clock")
    }
}

struct OldestReadyColumns: RowColumns {
    let tube: Column<Int32>
    let oldest: Column<Int64>

    init(_ column: inout ColumnFinder) {
        tube = column("tube_id")
        oldest = column("oldest")
    }
}

struct KnownOldestColumns: RowColumns {
    let tube: Column<String>
    let oldest: Column<Int64>

    init(_ column: inout ColumnFinder) {
        tube = column("tube")
        oldest = column("oldest")
    }
}

struct KnownLevelColumns: RowColumns {
    let tube: Column<String>
    let level: LevelColumns

    init(_ column: inout ColumnFinder) {
        tube = column("tube")
        level = LevelColumns(&column)
    }
}
