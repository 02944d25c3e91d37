/// The keeper's statements about tubes: what has changed of them, and which of them may go.
extension Statement {
    static let tubes: [Statement] = [
        news, newTubes, changedTubes, tubesByID, allTubes, restampTubes, restampCounts, restampHeld, emptyTubes,
        markTubes,
        unmarkTubes, awaitPuts, removeTubes,
    ]

    /// What is seen by now, and how often policies have changed.
    static let news = Statement(
        name: "news",
        sql: "select pg_current_snapshot()::text, (select version from policy_version where is_only)")

    /// What was written after a snapshot: by a transaction that began later, or was under way.
    private static func isNews(_ column: String) -> [String] {
        [
            "\(column) >= pg_snapshot_xmax($1::text::pg_snapshot)",
            "\(column) = any (array(select pg_snapshot_xip($1::text::pg_snapshot)))",
        ]
    }

    private static func news(_ select: String, _ column: String = "changed") -> String {
        isNews(column).map { "\(select) \($0)" }.joined(separator: "\nunion\n")
    }

    /// Tubes that have been made, or paused, since a snapshot.
    static let newTubes = Statement(name: "new_tubes", sql: news("select id from tube where"))

    /// Tubes of which anything has changed since a snapshot, or may have, and these.
    static let changedTubes = Statement(
        name: "changed_tubes",
        sql: """
            select unnest($3::integer[])
            union
            \(news("select id from tube where"))
            union
            \(news("select tube_id from tube_count where"))
            union
            \(news("select tube_id from tube_held where epoch <> $2::bigint and"))
            union
            select tube_id from uncounted_change
            union
            select tube_id from sql_lease
            """)

    /// Some of them.
    static let tubesByID = tubes(
        "tubes_by_id", which: "tube.id = any ($2::integer[])", counts: "where tube_id = any ($2::integer[])",
        held: """
            where epoch = any (array(select epoch from broker where epoch <> $1::bigint))
                and tube_id = any ($2::integer[])
            """)

    static let allTubes = tubes(
        "all_tubes", which: "true", counts: "",
        held: "where epoch = any (array(select epoch from broker where epoch <> $1::bigint))")

    /// What `TubeRow` is read from. There may be very many: a number that is mostly zero is NULL then, which costs less
    /// to send and to read.
    private static func tubes(_ name: String, which: String, counts: String, held: String) -> Statement {
        Statement(
            name: name,
            sql: """
                select
                    tube.id, tube.name, tube.pause,
                    case when tube.paused_until is not null then \(SQL.pauseLeft) end,
                    coalesce(count.urgent, 0) + coalesce(uncounted.urgent, 0),
                    coalesce(count.ready, 0) + coalesce(uncounted.ready, 0),
                    coalesce(count.delayed, 0) + coalesce(uncounted.delayed, 0),
                    coalesce(count.buried, 0) + coalesce(uncounted.buried, 0),
                    held.urgent::bigint, held.ready::bigint, held.delayed::bigint, held.buried::bigint
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
                """, joins: .inBulk)
    }

    // MARK: Restored stamps

    /// A dump brings the stamps of another server, whose transactions may have had higher numbers: they would be news
    /// for long.
    private static func restamp(_ table: String) -> Statement {
        Statement(
            name: "restamp_\(table)",
            sql: "update \(table) set changed = default where changed >= pg_snapshot_xmax(pg_current_snapshot())")
    }

    static let restampTubes = restamp("tube")
    static let restampCounts = restamp("tube_count")
    static let restampHeld = restamp("tube_held")

    // MARK: Removal

    /// Tubes that have had no jobs for a while, and that nobody waits for: a part of them, from a place on ($1, $2). Not
    /// those that have changed since a snapshot ($3).
    static let emptyTubes = Statement(
        name: "empty_tubes",
        sql: """
            select count.tube_id, count.changed::text
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
            """)

    /// From the commit on nothing is put there. A mark of a broker that is gone does not count.
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

    /// Waits for the batches of puts in flight; the others have their snapshots later than this one's.
    static let awaitPuts = Statement(
        name: "await_puts", sql: "select epoch from fence where writer = 0 for update")

    static let removeTubes = Statement(
        name: "remove_tubes", sql: "select id from remove_tubes($1::bigint, $2::integer[])")
}
