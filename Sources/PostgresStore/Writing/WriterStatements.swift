/// The writer's statements. Each does its part of a whole batch.
///
/// A statement that joins arrays to rows also has a condition with the array of ids, and its session joins by hash. So the
/// rows are found by their ids whatever the statistics say: a plan that was made for an empty table would otherwise walk
/// the whole table for each batch.
extension Statement {
    static let writer: [Statement] = [
        ledger, claimLedger, put, changeStates, annotate, delete, archive, writeLeases, endSole, answerRecall,
        transactionTime,
    ]

    /// Fences the batch and records it. If the epoch is dead the sub-select is null, which violates the not-null constraint
    /// and fails the whole transaction. The key-share lock keeps the epoch alive until the commit.
    static let ledger = Statement(
        name: "ledger",
        sql: """
            insert into ledger (epoch, writer, batch, tube_ids, urgent, ready, delayed, buried)
            values (
                (select epoch from fence where epoch = $1::bigint and writer = $2::smallint for key share),
                $2::smallint, $3::bigint, $4::integer[], $5::integer[], $6::integer[], $7::integer[], $8::integer[])
            """)

    /// Claims the key of a batch whose outcome was lost. True if the batch has committed; a claim whose own answer was lost
    /// is found again as a claim. The epoch may be dead. The update changes nothing, but makes the commit wait for the
    /// standby.
    static let claimLedger = Statement(
        name: "claim_ledger",
        sql: """
            insert into ledger (epoch, writer, batch, is_claim) values ($1::bigint, $2::smallint, $3::bigint, true)
            on conflict (epoch, writer, batch) do update set is_claim = ledger.is_claim
            returning not is_claim
            """,
        columns: OnlyColumn<Bool>.self)

    /// A tube that is about to be removed, or has been, gives null, which violates the not-null constraint and fails the
    /// whole transaction.
    static let put = Statement(
        name: "put",
        sql: """
            insert into job (id, tube_id, priority, state, ttr, delay, created_at, due_at, lease_epoch, body)
            select
                id, (select tube.id from tube where tube.id = new.tube_id and remover is null), priority,
                case when delay > 0 then 1 else 0 end, ttr, delay,
                now(), now() + delay * interval '1 second', case when is_leased then $1::bigint end, body
            from unnest(
                $2::bigint[], $3::integer[], $4::bigint[], $5::bigint[], $6::bigint[], $7::boolean[], $8::bytea[]
            ) as new (id, tube_id, priority, ttr, delay, is_leased, body)
            """)

    /// Puts of large bodies, from a stream (see `WriteBatch.copyPuts`).
    static let copyPuts = Statement(
        name: "copy_puts",
        sql: """
            copy job (id, tube_id, priority, state, ttr, delay, created_at, due_at, lease_epoch, body)
            from stdin (format binary)
            """)

    /// The time of the transaction, which `put` has from `now()`, and whether all of these tubes exist and stay, which `put`
    /// checks itself.
    static let transactionTime = Statement(
        name: "transaction_time",
        sql: """
            select
                now() as now,
                (select count(*) from tube where id = any ($1::integer[]) and remover is null)
                    = (select count(distinct id) from unnest($1::integer[]) as wanted (id)) as has_tubes
            """,
        columns: TransactionTimeColumns.self)

    static let changeStates = Statement(
        name: "change_states",
        sql: """
            with found as (
                update job set
                    state = new.state,
                    priority = new.priority,
                    delay = new.delay,
                    due_at = case when new.sets_due then now() + new.delay * interval '1 second' else job.due_at end,
                    bury_order = new.bury_order,
                    lease_epoch = case when new.keeps_lease then job.lease_epoch end,
                    reserved_at = null,
                    reserved_until = null,
                    reserves = new.reserves,
                    timeouts = new.timeouts,
                    releases = new.releases,
                    buries = new.buries,
                    \(SQL.reservations)
                from (
                    -- Jobs are buried in the order of the batch, not in that of the join.
                    select *, case when state = 2 then nextval('job_bury_order') end as bury_order
                    from unnest(
                        $2::bigint[], $3::smallint[], $4::bigint[], $5::bigint[], $6::boolean[], $7::boolean[],
                        $8::integer[], $9::integer[], $10::integer[], $11::integer[], $12::bigint[], $13::bigint[]
                    ) as part (
                        id, state, priority, delay, sets_due, keeps_lease, reserves, timeouts, releases, buries, first, last)
                ) as new
                where job.id = any ($2::bigint[]) and job.id = new.id and (job.lease_epoch = $1::bigint or $14::boolean)
                returning job.id
            )
            \(SQL.missing)
            """,
        columns: MissingJobColumns.self)

    /// Writes reservations: the microseconds since each began, -1 for none, and until it ends. Changes no indexed column, so
    /// the updates are HOT.
    static let annotate = Statement(
        name: "annotate",
        sql: """
            with found as (
                update job set
                    lease_epoch = $1::bigint,
                    reserved_at = case when new.since >= 0
                        then clock_timestamp() - new.since * interval '1 microsecond' end,
                    reserved_until = case when new.since >= 0
                        then clock_timestamp() + new.time_left * interval '1 microsecond' end,
                    reserves = new.reserves,
                    timeouts = new.timeouts,
                    \(SQL.reservations)
                from unnest(
                    $2::bigint[], $3::bigint[], $4::bigint[], $5::integer[], $6::integer[], $7::bigint[], $8::bigint[]
                ) as new (id, since, time_left, reserves, timeouts, first, last)
                where job.id = any ($2::bigint[]) and job.id = new.id and (job.lease_epoch = $1::bigint or $9::boolean)
                returning job.id
            )
            \(SQL.missing)
            """,
        columns: MissingJobColumns.self)

    static let delete = Statement(
        name: "delete",
        sql: """
            with found as (
                delete from job where id = any ($2::bigint[]) and (lease_epoch = $1::bigint or $3::boolean) returning id
            )
            \(SQL.missing)
            """,
        columns: MissingJobColumns.self)

    /// Writes the leases that this broker has not written while it was the sole one.
    static let writeLeases = Statement(
        name: "write_leases", sql: "update job set \(SQL.lease(to: "$1::bigint")) where id = any ($2::bigint[])")

    static let endSole = Statement(
        name: "end_sole", sql: "update broker set is_sole = false where epoch = $1::bigint")
}
