/// The keeper's statements about tubes: which have changed, and which may be removed.
extension Statement {
    static let tubes: [Statement] = [
        snapshot, newTubes, changedTubes, tubesByID, endOfRange, tubesInRange, restampTubes, restampCounts, restampHeld,
        emptyTubes,
        markTubes, unmarkTubes, awaitPuts, removeTubes,
    ]

    /// The current snapshot, and how often policies have changed.
    static let snapshot = Statement(
        name: "snapshot",
        sql: """
            select
                pg_current_snapshot()::text as snapshot,
                (select version from policy_version where is_only) as policy_version
            """,
        columns: SnapshotColumns.self)

    /// The two conditions for a row that was written after a snapshot: by a transaction that began later, or by one that
    /// was under way.
    private static func isChanged(_ column: String) -> [String] {
        [
            "\(column) >= pg_snapshot_xmax($1::text::pg_snapshot)",
            "\(column) = any (array(select pg_snapshot_xip($1::text::pg_snapshot)))",
        ]
    }

    private static func changed(_ select: String, _ column: String = "changed") -> String {
        isChanged(column).map { "\(select) \($0)" }.joined(separator: "\nunion\n")
    }

    /// The tubes that were made or paused after a snapshot.
    static let newTubes = Statement(
        name: "new_tubes", sql: changed("select id from tube where"), columns: OnlyColumn<Int32>.self)

    /// The tubes of which anything has, or may have, changed since a snapshot, and those of $3.
    static let changedTubes = Statement(
        name: "changed_tubes",
        sql: """
            select unnest($3::integer[])
            union
            \(changed("select id from tube where"))
            union
            \(changed("select tube_id from tube_count where"))
            union
            \(changed("select tube_id from tube_held where epoch <> $2::bigint and"))
            union
            select tube_id from uncounted_change
            union
            select tube_id from sql_lease
            """,
        columns: OnlyColumn<Int32>.self)

    static let tubesByID = tubes(
        "tubes_by_id", which: "tube.id = any ($2::integer[])", counts: "where tube_id = any ($2::integer[])",
        held: """
            where epoch = any (array(select epoch from broker where epoch <> $1::bigint))
                and tube_id = any ($2::integer[])
            """)

    /// The end of the next range: the last id of up to $2 tubes after an id ($1), and how many they are.
    static let endOfRange = Statement(
        name: "end_of_range",
        sql: """
            select max(id) as last, count(*) as count
            from (select id from tube where id > $1::integer order by id limit $2::bigint) as next
            """,
        columns: RangeColumns.self)

    static let tubesInRange = tubes(
        "tubes_in_range", which: inRange("tube.id"), counts: "where \(inRange("tube_id"))",
        held: """
            where epoch = any (array(select epoch from broker where epoch <> $1::bigint)) and \(inRange("tube_id"))
            """)

    private static func inRange(_ column: String) -> String { "\(column) > $2::integer and \(column) <= $3::integer" }

    /// There may be very many rows: a number that is mostly zero is NULL instead, which costs less to send and to read.
    private static func tubes(_ name: String, which: String, counts: String, held: String) -> Statement {
        Statement(
            name: name,
            sql: """
                select
                    tube.id, tube.name, tube.pause,
                    case when tube.paused_until is not null then \(SQL.pauseLeft) end as pause_left,
                    coalesce(count.urgent, 0) + coalesce(uncounted.urgent, 0) as urgent,
                    coalesce(count.ready, 0) + coalesce(uncounted.ready, 0) as ready,
                    coalesce(count.delayed, 0) + coalesce(uncounted.delayed, 0) as delayed,
                    coalesce(count.buried, 0) + coalesce(uncounted.buried, 0) as buried,
                    held.urgent::bigint as held_urgent, held.ready::bigint as held_ready,
                    held.delayed::bigint as held_delayed, held.buried::bigint as held_buried
                from tube
                left join (
                    select tube_id, urgent, ready, delayed, buried from tube_count \(counts)
                ) as count on count.tube_id = tube.id
                left join (
                    select tube_id, sum(urgent)::bigint as urgent, sum(ready)::bigint as ready,
                        sum(delayed)::bigint as delayed, sum(buried)::bigint as buried
                    from uncounted_change
                    group by tube_id
                ) as uncounted on uncounted.tube_id = tube.id
                left join (
                    select tube_id, sum(urgent) as urgent, sum(ready) as ready, sum(delayed) as delayed,
                        sum(buried) as buried
                    from (
                        select tube_id, urgent, ready, delayed, buried from tube_held \(held)
                        union all
                        select tube_id, (priority < 1024)::integer, 1, 0, 0 from sql_lease
                    ) as part (tube_id, urgent, ready, delayed, buried)
                    group by tube_id
                ) as held on held.tube_id = tube.id
                where \(which)
                order by tube.id
                """,
            joins: .inBulk, columns: TubeColumns.self)
    }

    // MARK: Restored stamps

    /// A restored dump has the transaction numbers of another server. Higher ones would count as changes for a long time.
    private static func restamp(_ table: String) -> Statement {
        Statement(
            name: "restamp_\(table)",
            sql: "update \(table) set changed = default where changed >= pg_snapshot_xmax(pg_current_snapshot())")
    }

    static let restampTubes = restamp("tube")
    static let restampCounts = restamp("tube_count")
    static let restampHeld = restamp("tube_held")

    // MARK: Removal

    /// Tubes without jobs that nobody waits for and that have not changed since a snapshot ($3): up to $4 of them, after a
    /// place ($1, $2).
    static let emptyTubes = Statement(
        name: "empty_tubes",
        sql: """
            select count.tube_id, count.changed::text as changed
            from tube_count as count
            join tube on tube.id = count.tube_id
            where count.ready = 0 and count.delayed = 0 and count.buried = 0
                and (count.changed, count.tube_id) > ($1::text::xid8, $2::integer)
                and count.changed < pg_snapshot_xmax($3::text::pg_snapshot)
                and tube.changed < pg_snapshot_xmax($3::text::pg_snapshot)
                and (tube.paused_until is null or tube.paused_until <= clock_timestamp())
                and not exists (select from tube_policy where tube_policy.tube_id = tube.id)
                and not exists (select from tube_awaited where tube_awaited.tube = tube.name)
            order by count.changed, count.tube_id
            limit $4::bigint
            """,
        columns: EmptyTubeColumns.self)

    /// After the commit nothing is put into these tubes. The mark of a broker that is gone does not count.
    static let markTubes = Statement(
        name: "mark_tubes",
        sql: """
            update tube set remover = $1::bigint
            where id = any (array(
                    select id from tube
                    where id = any ($2::integer[])
                        and (remover is null or remover = $1::bigint or not exists (select from broker where epoch = tube.remover))
                    for update skip locked))
            """)

    static let unmarkTubes = Statement(
        name: "unmark_tubes",
        sql: "update tube set remover = null where id = any ($2::integer[]) and remover = $1::bigint")

    /// Waits for the batches of puts in flight. Later batches have later snapshots and see the marks.
    static let awaitPuts = Statement(
        name: "await_puts", sql: "select epoch from fence where writer = 0 for update")

    static let removeTubes = Statement(
        name: "remove_tubes", sql: "select id from remove_tubes($1::bigint, $2::integer[])",
        columns: OnlyColumn<Int32>.self)

    /// The lock timeout of a transaction that waits for others.
    static let limitLockWait = "set local lock_timeout to '\(StoreTiming.lockTimeout.setting)'"
}
