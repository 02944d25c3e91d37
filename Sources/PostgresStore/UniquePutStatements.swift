/// The statements of a put with a key, which may be of a job that is there. Both go out together.
extension Statement {
    /// Puts the job, unless one with the key is there or somebody is putting one just now. Whoever puts a key locks it
    /// until the commit; nobody waits for that here, since a transaction of SQL may last. Nor for one that deletes the
    /// job: until its commit the job is there.
    static let putUnique = Statement(
        name: "put_unique",
        sql: """
            with new as (
                insert into job (id, tube_id, key, priority, state, ttr, delay, created_at, due_at, body)
                select
                    $3::bigint, $1::integer, $2::text, $4::bigint, case when $5::bigint > 0 then 1 else 0 end,
                    $6::bigint, $5::bigint, now(), now() + $5::bigint * interval '1 second', $7::bytea
                where pg_try_advisory_xact_lock(hashtextextended($2::text, $1::integer))
                    and not exists (select from job where tube_id = $1::integer and key = $2::text)
                on conflict (tube_id, key) where key is not null do nothing
                returning id
            )
            select exists (select from new)
            """)

    /// The job that was in the way, with a snapshot of its own: one that has just been committed is seen.
    static let findUnique = Statement(
        name: "find_unique",
        sql: """
            select
                id, state,
                coalesce(reserved_at is not null and \(SQL.hasLivingHolder), false)
            from job
            where tube_id = $1::integer and key = $2::text
            """)
}
