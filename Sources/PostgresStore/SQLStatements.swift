/// The broker's side of the functions in migrations/: what SQL sessions have done, and what they want.
extension Statement {
    /// The bells that functions ring, and whether no transaction that called one is open. The sequences first: who has
    /// rung and not ended has `sql_gate` locked. When nobody has rung since all was quiet ($2) nobody needs to look.
    static let look = Statement(
        name: "look",
        sql: """
            select
                changes.last_value, asked.last_value, taken.last_value,
                coalesce((select answered from broker where epoch = $1::bigint), 0),
                case when changes.last_value = $2::bigint then true else sql_is_quiet() end
            from sql_change_number as changes, recall_number as asked, sql_reserve_number as taken
            """)

    /// Holds off SQL sessions until the end of this transaction; false when one is at work. Only then may a broker
    /// become the sole one, by a statement of its own: it has to see what they have left.
    static let holdOffSQL = Statement(name: "hold_off_sql", sql: "select hold_off_sql()")

    /// Folds what they have done into the counts, and tells it by tube. Only a living broker may: whoever takes a row
    /// has to act on it. The bound keeps it from walking what was folded before.
    static let foldSQL = Statement(
        name: "fold_sql",
        sql: """
            with own as materialized (
                select epoch from broker where epoch = $1::bigint for key share
            ), gone as (
                delete from sql_change where number = any (array(
                    select number from sql_change
                    where number > $2::bigint and exists (select from own)
                    order by number
                    limit $3::bigint
                    for update skip locked))
                returning tube_id, priority, job_id, urgent, ready, delayed, buried
            ), change as (
                select
                    tube_id, min(array[priority, job_id]) filter (where job_id is not null) as first,
                    sum(urgent) as urgent, sum(ready) as ready, sum(delayed) as delayed, sum(buried) as buried,
                    count(*) as count
                from gone
                group by tube_id
                order by tube_id
            ), counted as (
                select add_to_counts(
                    array_agg(tube_id), array_agg(urgent), array_agg(ready), array_agg(delayed), array_agg(buried))
                from change
            )
            select
                tube.id, tube.name, coalesce(tube.pause, 0),
                \(SQL.pauseLeft),
                change.urgent::bigint, change.ready::bigint, change.delayed::bigint, change.buried::bigint,
                change.first[1], change.first[2], change.count
            from change
            join tube on tube.id = change.tube_id
            -- Its one row is asked for so that it is computed.
            where exists (select from counted)
            """)

    static let endLeases = Statement(name: "end_leases", sql: "select end_leases()")

    static let answer = Statement(
        name: "answer",
        sql: "update broker set answered = greatest(answered, $2::bigint) where epoch = $1::bigint")
}
