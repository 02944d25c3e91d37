/// The two statements of a put with a key. Both go out together: a job with the key may exist.
extension Statement {
    /// Puts the job, unless one with the key exists or another transaction is putting one. The statement does not wait for
    /// that transaction, which may be a long one of SQL, nor for one that deletes the job: until its commit the job exists.
    static let putUnique = Statement(
        name: "put_unique",
        sql: """
            select case
                when exists (select from job where tube_id = $1::integer and key = $2::text) then false
                else put_unique(
                    $1::integer, $2::text, $3::bigint, $4::bigint, $5::bigint, $6::bigint, $7::bytea)
            end
            """,
        columns: OnlyColumn<Bool>.self)

    /// The job that was in the way. The statement has a snapshot of its own and sees what has just been committed.
    static let findUnique = Statement(
        name: "find_unique",
        sql: """
            select
                id, state,
                coalesce(reserved_at is not null and \(SQL.hasLivingHolder), false) as is_reserved
            from job
            where tube_id = $1::integer and key = $2::text
            """,
        columns: FoundJobColumns.self)
}
