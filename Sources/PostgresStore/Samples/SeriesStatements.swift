import QueueCore

/// The statements that read samples. The arrays of times make each of them a number of probes of the primary key, whatever
/// else happened at those times, and the bounds leave out all other partitions.
extension Statement {
    /// All of them, for a session that reads samples.
    static let samples: [Statement] = [
        sampleClock, samplesOf10s, samplesOf5min, knownSteps10s, knownSteps5min, levelBefore, sparklines,
    ]

    /// The samples of a tube ($1) since some seconds ago ($2).
    static let samplesOf10s = samplesOf("tube_sample", step: "10 s")
    static let samplesOf5min = samplesOf("tube_sample_5min", step: "5 minutes")

    private static func samplesOf(_ table: String, step: String) -> Statement {
        Statement(
            name: "samples_of_\(table)",
            sql: """
                select
                    (extract(epoch from at) * 1e6)::bigint as at, puts, deletes, timeouts, releases, buries, urgent,
                    ready, reserved, delayed, buried, (extract(epoch from oldest_ready_at) * 1e6)::bigint as oldest,
                    waited::text as waited, worked::text as worked
                from \(table)
                where tube = $1::text and at >= \(start(step)) and at <= now()
                    and at = any (array(select generate_series(\(start(step)), now(), interval '\(step)')))
                order by at
                """,
            columns: SampleColumns.self)
    }

    /// The first step of the last $2 seconds.
    private static func start(_ step: String) -> String {
        "date_bin('\(step)', now(), 'epoch') - $2::bigint * interval '1 s'"
    }

    /// The steps since some seconds ago ($1) of which anything is known.
    static let knownSteps10s = knownSteps("tube_sample")
    static let knownSteps5min = knownSteps("tube_sample_5min")

    private static func knownSteps(_ table: String) -> Statement {
        Statement(
            name: "known_steps_\(table)",
            sql: """
                select (extract(epoch from at) * 1e6)::bigint as at from \(table)
                where tube = '' and ready is not null and at >= now() - $1::bigint * interval '1 s' and at <= now()
                order by at
                """,
            columns: OnlyColumn<Int64>.self)
    }

    /// The jobs of a tube ($1) before a time ($2, microseconds since 1970): from the samples of either kind, and as it was
    /// told last (`place` 3).
    static let levelBefore = Statement(
        name: "level_before",
        sql: """
            (
                select 1 as place, \(level) from tube_sample
                where tube = $1::text and ready is not null
                    and at < timestamptz 'epoch' + $2::bigint * interval '1 microsecond'
                order by at desc limit 1
            )
            union all
            (
                select 2, \(level) from tube_sample_5min
                where tube = $1::text and ready is not null
                    and at < timestamptz 'epoch' + $2::bigint * interval '1 microsecond'
                order by at desc limit 1
            )
            union all
            select 3, \(level) from tube_level where tube = $1::text
            """,
        columns: LevelBeforeColumns.self)

    private static let level = """
        urgent, ready, reserved, delayed, buried, (extract(epoch from oldest_ready_at) * 1e6)::bigint as oldest
        """

    /// What was put into tubes ($1) and deleted, since some seconds ago ($2).
    static let sparklines = Statement(
        name: "sparklines",
        sql: """
            select wanted.tube, (extract(epoch from step.at) * 1e6)::bigint as at, sample.puts, sample.deletes
            from unnest($1::text[]) as wanted (tube)
            cross join generate_series(\(start("10 s")), now(), interval '10 s') as step (at)
            -- A probe of the primary key for each: the planner would read all tubes of each step.
            cross join lateral (
                select puts, deletes from tube_sample
                where tube_sample.at = step.at and tube_sample.tube = wanted.tube
                offset 0
            ) as sample
            """,
        columns: SparklineColumns.self)
}

struct SampleColumns: RowColumns {
    let at: Column<Int64>
    let puts: Column<Int64>
    let deletes: Column<Int64>
    let timeouts: Column<Int64>
    let releases: Column<Int64>
    let buries: Column<Int64>
    let level: LevelColumns
    let waited: Column<String>
    let worked: Column<String>

    init(_ column: inout ColumnFinder) {
        at = column("at")
        puts = column("puts")
        deletes = column("deletes")
        timeouts = column("timeouts")
        releases = column("releases")
        buries = column("buries")
        level = LevelColumns(&column)
        waited = column("waited")
        worked = column("worked")
    }
}

struct LevelBeforeColumns: RowColumns {
    let place: Column<Int32>
    let level: LevelColumns

    init(_ column: inout ColumnFinder) {
        place = column("place")
        level = LevelColumns(&column)
    }
}

struct LevelColumns: RowColumns {
    let urgent: Column<Int64>
    let ready: Column<Int64>
    let reserved: Column<Int64>
    let delayed: Column<Int64>
    let buried: Column<Int64>
    let oldest: Column<Int64>

    init(_ column: inout ColumnFinder) {
        urgent = column("urgent")
        ready = column("ready")
        reserved = column("reserved")
        delayed = column("delayed")
        buried = column("buried")
        oldest = column("oldest")
    }
}

extension Sample.Level {
    /// `nil` if the row tells nothing of jobs.
    init?(_ rows: Rows, _ row: Int, _ column: LevelColumns) {
        guard let ready = rows.optional(row, column.ready) else { return nil }
        jobs = JobCounts(
            urgent: rows.count(row, column.urgent), ready: Int(ready), reserved: rows.count(row, column.reserved),
            delayed: rows.count(row, column.delayed), buried: rows.count(row, column.buried))
        oldest = rows.optional(row, column.oldest)
    }
}

extension Rows {
    fileprivate func count(_ row: Int, _ column: Column<Int64>) -> Int { Int(optional(row, column) ?? 0) }
}

struct SparklineColumns: RowColumns {
    let tube: Column<String>
    let at: Column<Int64>
    let puts: Column<Int64>
    let deletes: Column<Int64>

    init(_ column: inout ColumnFinder) {
        tube = column("tube")
        at = column("at")
        puts = column("puts")
        deletes = column("deletes")
    }
}
