/// The statements of a put with a key, which may be of a job that is there. Both go out together.
extension Statement {
    /// Puts the job, unless one with the key is there or somebody is putting one just now. Nobody waits here for the end
    /// of that, since a transaction of SQL may last. Nor for one that deletes the job: until its commit the job is there.
    static let putUnique = Statement(
        name: "put_unique",
        sql: """
            select case
                when exists (select from job where tube_id = $1::integer and key = $2::text) then false
                else put_unique(
                    $1::integer, $2::text, $3::bigint, $4::bigint, $5::bigint, $6::bigint, $7::bytea)
            end
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
