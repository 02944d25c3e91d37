/// The statements that write history: jobs that end in tubes whose policy keeps it, in the transaction that ends them.
extension Statement {
    /// The writer's delete of such jobs. What the broker knows better than the row comes with it: counters that are
    /// written behind, and how many microseconds ago the job was reserved, -1 for never.
    static let archive = Statement(
        name: "archive",
        sql: """
            with gone as (
                delete from job
                using unnest(
                    $2::bigint[], $3::boolean[], $4::integer[], $5::integer[], $6::bigint[], $7::bigint[]
                ) as ended (id, is_finished, reserves, timeouts, first, last)
                where job.id = ended.id and (job.lease_epoch = $1::bigint or $8::boolean)
                returning
                    job.id, job.created_at,
                    coalesce(job.first_reserved_at, now() - nullif(ended.first, -1) * interval '1 microsecond') as first,
                    coalesce(now() - nullif(ended.last, -1) * interval '1 microsecond', job.last_reserved_at) as last,
                    job.priority, job.ttr, job.tube_id, ended.reserves, ended.timeouts, job.releases, job.buries,
                    job.kicks, case when ended.is_finished then 3 else job.state end as state, job.body
            )
            insert into job_history (
                id, created_at, first_reserved_at, last_reserved_at, finished_at, priority, ttr, tube_id, reserves,
                timeouts, releases, buries, kicks, state, body)
            select
                gone.id, gone.created_at, gone.first, gone.last, now(), gone.priority, gone.ttr, gone.tube_id,
                gone.reserves, gone.timeouts, gone.releases, gone.buries, gone.kicks, gone.state,
                case when policy.history_body then gone.body end
            from gone
            left join tube_policy as policy on policy.tube_id = gone.tube_id
            """)

    /// The reader's delete while some tube keeps history; whether it is the job's, the row tells.
    static let removeRecorded = Statement(
        name: "remove_recorded",
        sql: """
            with gone as (
                delete from job
                where id = $1::bigint and (\(SQL.isFree) or lease_epoch = $2::bigint)
                returning job as whole
            ), recorded as (
                insert into job_history select ended.* from gone, history_of(gone.whole, false) as ended
            )
            select \(SQL.jobColumns), null::bytea from gone, lateral (select (gone.whole).*) as job
            """)

    /// The keeper's, about once a minute.
    static let keepHistory = Statement(name: "keep_history", sql: "select keep_history()")
}
