/// What SQL sessions have done, and what they want from brokers (docs/ARCHITECTURE.md, SQL beside brokers).
extension Statement {
    /// The sequences that functions draw from, and whether no transaction that called a function is open. The sequences
    /// are read first: a transaction that has drawn and not ended has `sql_gate` locked. If nobody has drawn since all was
    /// quiet ($2), the lock is not looked at.
    static let sqlActivity = Statement(
        name: "sql_activity",
        sql: """
            select
                changes.last_value as changes, recall_number.last_value as recalls, taken.last_value as reservations,
                coalesce((select answered from broker where epoch = $1::bigint), 0) as answered,
                case when changes.last_value = $2::bigint then true else sql_is_quiet() end as is_quiet
            from sql_change_number as changes, recall_number, sql_reserve_number as taken
            """,
        columns: SQLActivityColumns.self)

    /// Holds off SQL sessions until the end of this transaction; false if one is at work. A broker becomes the sole one by
    /// a later statement of the transaction, which sees what SQL sessions have left.
    static let holdOffSQL = Statement(
        name: "hold_off_sql", sql: "select hold_off_sql()", columns: OnlyColumn<Bool>.self)

    /// Folds the changes of SQL sessions into the counts, and returns them by tube. Only a living broker may: it takes the
    /// rows and has to act on them. The bound ($2) keeps it from walking what was folded before.
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
                    sum(greatest(ready::bigint + delayed + buried, 0)) as puts,
                    sum(greatest(-(ready::bigint + delayed + buried), 0)) as deletes, count(*) as count
                from gone
                group by tube_id
                order by tube_id
            ), counted as (
                select add_to_counts(
                    array_agg(tube_id), array_agg(urgent), array_agg(ready), array_agg(delayed), array_agg(buried))
                from change
            )
            select
                tube.id, tube.name, tube.pause, \(SQL.pauseLeft) as pause_left,
                change.urgent::bigint as urgent, change.ready::bigint as ready, change.delayed::bigint as delayed,
                change.buried::bigint as buried, change.first[1] as first_priority, change.first[2] as first_id,
                change.puts::bigint as puts, change.deletes::bigint as deletes, change.count
            from change
            join tube on tube.id = change.tube_id
            -- Its one row is asked for so that it is computed.
            where exists (select from counted)
            """,
        columns: SQLChangeColumns.self)

    static let endLeases = Statement(name: "end_leases", sql: "select end_leases()")

    /// Records that this broker has given back what a recall asked for.
    static let answerRecall = Statement(
        name: "answer_recall",
        sql: "update broker set answered = greatest(answered, $2::bigint) where epoch = $1::bigint")
}
