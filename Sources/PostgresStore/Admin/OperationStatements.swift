import AdminAPI

/// Operations: actions on all jobs that match a filter, in batches.
extension Statement {
    static let addOperation = Statement(
        name: "",
        sql: """
            insert into operation (action, request, runner, started_by)
            values ($1::text, $2::text::jsonb, $3::bigint, $4::text)
            returning \(operationColumns)
            """,
        columns: OperationColumns.self)

    /// The operation $1, or the newest ones.
    static let operations = Statement(
        name: "",
        sql: """
            select \(operationColumns) from operation
            where $1::bigint is null or id = $1
            order by id desc
            limit 200
            """,
        columns: OperationColumns.self)

    /// Notes a batch of the operation $1, if it still runs at this runner ($2, from now on $3).
    static let noteBatch = Statement(
        name: "",
        sql: """
            update operation set
                runner = $3::bigint, changed = changed + $4::bigint, skipped = skipped + $5::bigint,
                reached_id = greatest(reached_id, $6::bigint), in_use = $8::bigint[],
                state = case when $7::boolean then 'done' else state end, updated_at = clock_timestamp()
            where id = $1::bigint and runner = $2::bigint and state = 'running'
            returning \(operationColumns)
            """,
        columns: OperationColumns.self)

    /// The jobs that the operation $1 has passed and will try again.
    static let inUse = Statement(
        name: "", sql: "select unnest(in_use) as value from operation where id = $1::bigint",
        columns: OnlyColumn<Int64>.self)

    // MARK: Batches

    static let openBatch = Statement(name: "", sql: "select open_batch($1::boolean)")

    /// Does something to jobs ($1) that are locked: how many were changed.
    static func change(_ action: JobAction) -> Statement {
        let call =
            switch action {
            case .kick: "kick_jobs($1::bigint[])"
            case .delete: "delete_jobs($1::bigint[])"
            case .bury: "bury_jobs($1::bigint[], $2::bigint)"
            case .move: "move_jobs($1::bigint[], $2::text)"
            case .priority: "set_priorities($1::bigint[], $2::bigint)"
            case .delay: "set_delays($1::bigint[], make_interval(secs => $2::bigint::double precision))"
            }
        return Statement(name: "", sql: "select \(call) as value", columns: OnlyColumn<Int32>.self)
    }

    // MARK: States

    static let failOperation = Statement(
        name: "",
        sql: """
            update operation set state = 'failed', error = $3::text, updated_at = clock_timestamp()
            where id = $1::bigint and runner = $2::bigint and state = 'running'
            """)

    static let stopOperation = Statement(
        name: "",
        sql: """
            update operation set state = 'stopped', updated_at = clock_timestamp()
            where id = $1::bigint and state = 'running'
            returning \(operationColumns)
            """,
        columns: OperationColumns.self)

    /// Takes over an operation ($1) that nobody runs.
    static let resumeOperation = Statement(
        name: "",
        sql: """
            update operation set state = 'running', runner = $2::bigint, error = null, updated_at = clock_timestamp()
            where id = $1::bigint
                and (state in ('stopped', 'failed')
                    or state = 'running' and not exists (select from broker where epoch = operation.runner))
            returning \(operationColumns)
            """,
        columns: OperationColumns.self)

    /// Removes operations that ended 90 days ago.
    static let trimOperations = Statement(
        name: "", sql: "delete from operation where state <> 'running' and updated_at < now() - interval '90 days'")

    private static let operationColumns = """
        operation.id, operation.request::text as request,
        case when operation.state = 'running' and not exists (select from broker where epoch = operation.runner)
            then 'stopped' else operation.state end as state,
        operation.changed, operation.skipped, operation.reached_id, operation.started_at, operation.started_by,
        operation.updated_at, operation.error
        """
}
