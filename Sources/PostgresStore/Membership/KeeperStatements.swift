/// The keeper's statements about epochs, ids and counts.
extension Statement {
    static let keeper: [Statement] =
        [
            lockBrokers, holdOffSQL, register, otherSole, becomeSole, beat, hasLastCommits, peers, declareDead,
            endBlockers, cleanUpAfterDead, deletePublished, unregister, takeIDs, fold, foldLast, publishHeld,
            deleteEmptyHeld, policies, keepHistory,
        ] + tubes + sampling

    /// No statement of a keeper waits long for a lock: a heartbeat must not be late. And a keeper that stops inside a
    /// transaction holds up nobody else's for long.
    static let keeperSettings = """
        set lock_timeout to '\(StoreTiming.lockTimeout.setting)';
        set idle_in_transaction_session_timeout to '\(StoreTiming.keeperIdleLimit.setting)'
        """

    /// Begins a transaction that survives a crash whatever durability was asked for: it decides who may have jobs.
    static let beginDurably = "begin; set local synchronous_commit to on"

    /// Begins a transaction that declares brokers dead: it may wait for their batches in flight.
    static let beginDeclaringDead =
        "begin; set local lock_timeout to '\(StoreTiming.declareDeadLockTimeout.setting)'"

    /// A broker that becomes the sole one sees all others.
    static let lockBrokers = Statement(name: "lock_brokers", sql: "lock table broker in share row exclusive mode")

    /// An epoch's number is never used again, even by a server that has lost that it was used: it is microseconds of
    /// time, and three random digits in case the clock is behind. A sequence would go back with its server.
    static let register = Statement(
        name: "register",
        sql: """
            with own as (
                insert into broker (epoch, host, pid, process_space, is_sole, answered, max_job_size)
                values (
                    (extract(epoch from clock_timestamp()) * 1e6)::bigint * 1000 + trunc(random() * 1000)::bigint,
                    $1::text, $2::integer, $3::text,
                    $4::boolean and not exists (select from broker) and not exists (select from sql_lease),
                    (select last_value from recall_number), $5::bigint)
                returning epoch, is_sole
            ), fences as (
                insert into fence (epoch, writer) select epoch, writer from own cross join generate_series(0, 3) as writer
            )
            select epoch, is_sole from own
            """,
        columns: RegistrationColumns.self)

    /// Another broker that has to end being the sole one before this one may begin.
    static let otherSole = Statement(
        name: "other_sole", sql: "select epoch from broker where is_sole and epoch <> $1::bigint")

    static let becomeSole = Statement(
        name: "become_sole",
        sql: """
            update broker set is_sole = true
            where epoch = $1::bigint and $2::boolean
                and not exists (select from broker where epoch <> $1::bigint)
                and not exists (select from sql_lease)
            """)

    static let beat = Statement(
        name: "beat",
        sql: """
            update broker set beats = beats + 1, heartbeat_at = clock_timestamp() where epoch = $1::bigint
            returning is_sole, beats, (extract(epoch from heartbeat_at) * 1e6)::bigint as clock,
                pg_sequence_last_value('job_id'::regclass) as last_id
            """,
        columns: HeartbeatColumns.self)

    /// True if the server has the last heartbeat of this broker and the last batch of each writer. Then it has everything
    /// before them too, since what a server has is without gaps.
    static let hasLastCommits = Statement(
        name: "has_last_commits",
        sql: """
            select
                exists (select from broker where epoch = $1::bigint and beats >= $2::bigint)
                and not exists (
                    select from unnest($3::smallint[], $4::bigint[]) as known (writer, batch)
                    where not exists (
                        select from ledger
                        where ledger.epoch = $1::bigint and ledger.writer = known.writer
                            and ledger.batch = known.batch))
            """,
        columns: OnlyColumn<Bool>.self)

    static let peers = Statement(
        name: "peers", sql: "select epoch, pid, process_space, beats from broker where epoch <> $1::bigint",
        columns: PeerColumns.self)

    /// Declares brokers ($1) dead unless a heartbeat has come meanwhile: $2 are their last numbers. The deletes wait for
    /// the key-share locks of their batches in flight, so nothing of theirs commits later.
    static let declareDead = Statement(
        name: "declare_dead",
        sql: """
            with dead as (
                delete from broker using unnest($1::bigint[], $2::bigint[]) as silent (epoch, beats)
                where broker.epoch = silent.epoch and broker.beats = silent.beats
                returning broker.epoch
            ), fences as (
                delete from fence using dead where fence.epoch = dead.epoch
            )
            select epoch from dead
            """,
        columns: OnlyColumn<Int64>.self)

    /// The transactions that keep brokers ($1) from being declared dead; ends those that were known before ($2). A broker
    /// that is stopped or cut off may have sent half of a batch. A row of `fence` names the transaction that has locked
    /// it. A transaction that has only begun may be another broker's, which declares the same death.
    static let endBlockers = Statement(
        name: "end_blockers",
        sql: """
            select
                held.transactionid::text::bigint as transaction,
                case when held.transactionid::text::bigint = any ($2::bigint[])
                    then pg_terminate_backend(activity.pid) else false end as is_ended
            from fence
            join pg_locks as held on held.transactionid = fence.xmax and held.mode = 'ExclusiveLock' and held.granted
            join pg_stat_activity as activity on activity.pid = held.pid
            where fence.epoch = any ($1::bigint[]) and activity.usename = current_user
            """,
        columns: BlockerColumns.self)

    static let unregister = Statement(
        name: "unregister",
        sql: """
            with dead as (delete from broker where epoch = $1::bigint)
            delete from fence where epoch = $1::bigint
            """)

    static let takeIDs = Statement(
        name: "take_ids", sql: "select nextval('job_id') from generate_series(1, $1::integer)",
        columns: OnlyColumn<Int64>.self)

    /// Folds one writer's ledger, from batch $3 to before batch $4, into the counts. The bounds keep it from walking what
    /// was folded before. The last batch always stays: its outcome may still be asked for.
    static let fold = Statement(
        name: "fold",
        sql: """
            with gone as (
                delete from ledger
                where epoch = $1::bigint and writer = $2::smallint and batch >= $3::bigint and batch < $4::bigint
                returning tube_ids, urgent, ready, delayed, buried
            )
            \(addToCounts)
            """)

    /// The same for the last batch of an idle writer. Its row stays, emptied: its outcome may still be asked for.
    static let foldLast = Statement(
        name: "fold_last",
        sql: """
            with gone as materialized (
                select tube_ids, urgent, ready, delayed, buried from ledger
                where epoch = $1::bigint and writer = $2::smallint and batch = $3::bigint and tube_ids <> '{}'
                for update
            ), emptied as (
                update ledger set tube_ids = '{}', urgent = '{}', ready = '{}', delayed = '{}', buried = '{}'
                where epoch = $1::bigint and writer = $2::smallint and batch = $3::bigint and exists (select from gone)
            )
            \(addToCounts)
            """)

    /// Folds the ledgers of brokers that have died ($1), and removes what else they have left.
    static let cleanUpAfterDead = Statement(name: "clean_up_after_dead", sql: "select clean_up_after($1::bigint[])")

    private static let addToCounts = """
        select add_to_counts(
            array_agg(change.tube_id), array_agg(change.urgent), array_agg(change.ready), array_agg(change.delayed),
            array_agg(change.buried))
        from gone, unnest(gone.tube_ids, gone.urgent, gone.ready, gone.delayed, gone.buried)
            as change (tube_id, urgent, ready, delayed, buried)
        """

    static let publishHeld = Statement(
        name: "publish_held",
        sql: """
            insert into tube_held (epoch, tube_id, urgent, ready, delayed, buried)
            select $1::bigint, held.*
            from unnest($2::integer[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[]) as held
            on conflict (epoch, tube_id) do update set
                urgent = excluded.urgent, ready = excluded.ready, delayed = excluded.delayed,
                buried = excluded.buried
            """)

    /// Deletes rows that have said for long enough that nothing is held.
    static let deleteEmptyHeld = Statement(
        name: "delete_empty_held",
        sql: """
            delete from tube_held
            where epoch = $1::bigint and tube_id = any ($2::integer[])
                and urgent = 0 and ready = 0 and delayed = 0 and buried = 0
            """)

    /// Deletes what brokers that leave have told the others.
    static let deletePublished = Statement(
        name: "delete_published",
        sql: """
            with awaited as (
                delete from tube_awaited where epoch = any ($1::bigint[])
            ), notices as (
                delete from notice where epoch = any ($1::bigint[])
            )
            delete from tube_held where epoch = any ($1::bigint[])
            """)

    static let policies = Statement(
        name: "policies",
        sql: """
            select
                tube_id, bury_after_timeouts, bury_after_releases, max_ready, history is not null as keeps_history
            from tube_policy
            """,
        columns: PolicyColumns.self)
}
