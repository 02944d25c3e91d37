import AdminAPI

/// What viewers do to jobs and tubes: calls of the functions of docs/sql.md.
extension Statement {
    /// Does something to jobs ($1) in the order of their ids: whether each is there, and whether it was done.
    static func act(_ action: JobAction) -> Statement {
        let call =
            switch action {
            case .kick: "kick_job(wanted.id)"
            case .delete: "delete_job(wanted.id)"
            case .bury: "bury_job(wanted.id, $2::bigint)"
            case .move: "move_job(wanted.id, $2::text)"
            case .priority: "set_priority(wanted.id, $2::bigint)"
            case .delay: "set_delay(wanted.id, make_interval(secs => $2::bigint::double precision))"
            }
        return Statement(
            name: "",
            sql: """
                select wanted.id, job.id is not null as is_there, case when job.id is not null then \(call) end as is_done
                from (select distinct id from unnest($1::bigint[]) as given (id) order by id) as wanted
                left join job on job.id = wanted.id
                """,
            columns: ActedColumns.self)
    }

    static let putJob = Statement(
        name: "",
        sql: """
            select put(
                $1::text, $2::bytea, priority => $3::bigint, delay => make_interval(secs => $4::bigint::double precision),
                ttr => make_interval(secs => $5::bigint::double precision), key => $6::text) as value
            """,
        columns: OnlyColumn<Int64>.self)

    /// Buried jobs, as long as there are any, so that a kick in parts does not go on with the delayed ones.
    static let kickBuried = Statement(
        name: "",
        sql: """
            select case
                when exists (
                    select from job where state = 2 and tube_id = (select id from tube where name = $1::text))
                then kick($1::text, $2::integer) else 0
            end as value
            """,
        columns: OnlyColumn<Int32>.self)

    static let kickTube = Statement(
        name: "", sql: "select kick($1::text, $2::integer) as value", columns: OnlyColumn<Int32>.self)

    static let clearTube = Statement(
        name: "", sql: "select clear($1::text, $2::integer, $3::text) as value", columns: OnlyColumn<Int32>.self)

    static let pauseTube = Statement(
        name: "", sql: "select pause($1::text, make_interval(secs => $2::bigint::double precision))")

    static let unpauseTube = Statement(name: "", sql: "select unpause($1::text)")

    static let setPolicy = Statement(
        name: "",
        sql: """
            select set_policy(
                $1::text, bury_after_timeouts => $2::bigint::integer, bury_after_releases => $3::bigint::integer,
                max_ready => $4::bigint, history => $5::bigint * interval '1 microsecond', history_body => $6::boolean)
            """)

    static let savepoint = Statement(name: "", sql: "savepoint one")
    static let rollbackToSavepoint = Statement(name: "", sql: "rollback to savepoint one")
}
