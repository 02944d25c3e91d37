/// The statements about history. A job of a tube whose policy keeps history is recorded in the transaction that ends it.
extension Statement {
    /// Records jobs before the writer deletes them. The broker adds what the row does not have yet: counters, and how many
    /// microseconds ago the job was reserved, -1 for never.
    ///
    /// The limit makes the planner look up each job by itself: in a table that was empty when it was analyzed, a join would
    /// walk the whole index with its dead entries.
    static let archive = Statement(
        name: "archive",
        sql: """
            insert into job_history (
                id, created_at, first_reserved_at, last_reserved_at, finished_at, priority, ttr, tube_id, reserves,
                timeouts, releases, buries, kicks, state, body)
            select
                gone.id, gone.created_at,
                coalesce(gone.first_reserved_at, now() - nullif(ended.first, -1) * interval '1 microsecond'),
                coalesce(now() - nullif(ended.last, -1) * interval '1 microsecond', gone.last_reserved_at),
                now(), gone.priority, gone.ttr, gone.tube_id, ended.reserves, ended.timeouts, gone.releases,
                gone.buries, gone.kicks, case when ended.is_finished then 3 else gone.state end,
                case when policy.history_body then gone.body end
            from unnest(
                $2::bigint[], $3::boolean[], $4::integer[], $5::integer[], $6::bigint[], $7::bigint[]
            ) as ended (id, is_finished, reserves, timeouts, first, last)
            cross join lateral (
                select * from job
                where job.id = ended.id and (job.lease_epoch = $1::bigint or $8::boolean)
                limit 1
                for update
            ) as gone
            left join tube_policy as policy on policy.tube_id = gone.tube_id
            """)

    /// Deletes an unleased job while some tube keeps history. `history_of` gives no row if the job's tube does not.
    static let deleteToHistory = Statement(
        name: "delete_to_history",
        sql: """
            with gone as (
                delete from job
                where id = any (array(
                    select id from job where id = $1::bigint and (\(SQL.isFree) or lease_epoch = $2::bigint)
                    for update nowait))
                returning job as whole
            ), recorded as (
                insert into job_history select ended.* from gone, history_of(gone.whole, false) as ended
            )
            select \(SQL.jobColumns), null::bytea as body from gone, lateral (select (gone.whole).*) as job
            """,
        columns: JobColumns.self)

    /// Makes and drops the partitions of days.
    static let keepHistory = Statement(name: "keep_history", sql: "select keep_history()")
}
