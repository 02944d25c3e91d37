/// The keeper's statements: the epoch, the ids, and the counts.
extension Statement {
    static let keeper: [Statement] =
        [
            lockBrokers, holdOffSQL, register, otherSole, becomeSole, beat, isWhole, peers, bury, endBatches, inherit,
            forgetPublished, unregister, ids, fold, foldLast, publish, unpublish, policies, keepHistory,
        ] + tubes

    /// No statement of a keeper waits for long, whoever has locked what: a heartbeat must not be late. And one that is
    /// stopped in the middle of a transaction holds up nobody else's.
    static let keeperSettings = "set lock_timeout to '200ms'; set idle_in_transaction_session_timeout to '1s'"

    /// A transaction that survives a crash whatever the durability asked for: on it depends who may touch what.
    static let beginSurely = "begin; set local synchronous_commit to on"

    /// A transaction that declares brokers dead: it may wait for their batches in flight.
    static let beginBurial = "begin; set local lock_timeout to '500ms'"

    /// Whoever becomes the sole broker sees all others.
    static let lockBrokers = Statement(name: "lock_brokers", sql: "lock table broker in share row exclusive mode")

    /// An epoch's number is never used again, also by a server that has lost that it was used: microseconds of time,
    /// and three digits of chance for those whose clock is behind. A sequence would go back with its server.
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
            """)

    /// Another broker that has to give up being the sole one before this one may begin.
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

    /// Whether this is the sole one, the number of the heartbeat, and the database's clock in microseconds.
    static let beat = Statement(
        name: "beat",
        sql: """
            update broker set beats = beats + 1, heartbeat_at = clock_timestamp() where epoch = $1::bigint
            returning is_sole, beats, (extract(epoch from heartbeat_at) * 1e6)::bigint
            """)

    /// Whether nothing is missing of what this broker knows to have committed: its last heartbeat, and the last batch
    /// of each writer. What came before them is there too, since a server has what it has without gaps.
    static let isWhole = Statement(
        name: "is_whole",
        sql: """
            select
                exists (select from broker where epoch = $1::bigint and beats >= $2::bigint)
                and not exists (
                    select from unnest($3::smallint[], $4::bigint[]) as known (writer, batch)
                    where not exists (
                        select from ledger
                        where ledger.epoch = $1::bigint and ledger.writer = known.writer
                            and ledger.batch = known.batch))
            """)

    /// The others: epoch, pid, process space, number of the last heartbeat.
    static let peers = Statement(
        name: "peers", sql: "select epoch, pid, process_space, beats from broker where epoch <> $1::bigint")

    /// Declares brokers ($1) dead, unless they are heard of meanwhile: $2 are their last heartbeats. The deletes wait for
    /// the key-share locks of their batches in flight, so nothing of theirs commits later.
    static let bury = Statement(
        name: "bury",
        sql: """
            with dead as (
                delete from broker using unnest($1::bigint[], $2::bigint[]) as silent (epoch, beats)
                where broker.epoch = silent.epoch and broker.beats = silent.beats
                returning broker.epoch
            ), fences as (
                delete from fence using dead where fence.epoch = dead.epoch
            )
            select epoch from dead
            """)

    /// The transactions whose batches keep brokers ($1) from being declared dead, and whether that of each has been
    /// ended: those that were known before ($2). A broker that is stopped, or cut off, may have sent half of a batch.
    /// Whoever locks a row of `fence` is named in it. One that has only begun may be another broker's, which declares
    /// the same death.
    static let endBatches = Statement(
        name: "end_batches",
        sql: """
            select
                held.transactionid::text::bigint,
                case when held.transactionid::text::bigint = any ($2::bigint[])
                    then pg_terminate_backend(activity.pid) else false end
            from fence
            join pg_locks as held on held.transactionid = fence.xmax and held.mode = 'ExclusiveLock' and held.granted
            join pg_stat_activity as activity on activity.pid = held.pid
            where fence.epoch = any ($1::bigint[]) and activity.usename = current_user
            """)

    static let unregister = Statement(
        name: "unregister",
        sql: """
            with dead as (delete from broker where epoch = $1::bigint)
            delete from fence where epoch = $1::bigint
            """)

    static let ids = Statement(
        name: "ids", sql: "select nextval('job_id') from generate_series(1, $1::integer)")

    /// Folds one writer's ledger, from batch $3 to before $4, into the counts. The bounds keep it from walking what
    /// was folded before; the last batch always stays, for its fate may yet be asked for.
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

    /// The same for the last batch of a writer that does nothing: its row stays, emptied, for its fate may yet be asked
    /// for.
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

    /// The same for brokers that have died ($1), with what else they have left.
    static let inherit = Statement(name: "inherit", sql: "select clean_up_after($1::bigint[])")

    private static let addToCounts = """
        select add_to_counts(
            array_agg(change.tube_id), array_agg(change.urgent), array_agg(change.ready), array_agg(change.delayed),
            array_agg(change.buried))
        from gone, unnest(gone.tube_ids, gone.urgent, gone.ready, gone.delayed, gone.buried)
            as change (tube_id, urgent, ready, delayed, buried)
        """

    static let publish = Statement(
        name: "publish",
        sql: """
            insert into tube_held (epoch, tube_id, urgent, ready, delayed, buried)
            select $1::bigint, held.*
            from unnest($2::integer[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[]) as held
            on conflict (epoch, tube_id) do update set
                urgent = excluded.urgent, ready = excluded.ready, delayed = excluded.delayed,
                buried = excluded.buried
            """)

    /// Rows that have said for long enough that nothing is held.
    static let unpublish = Statement(
        name: "unpublish",
        sql: """
            delete from tube_held
            where epoch = $1::bigint and tube_id = any ($2::integer[])
                and urgent = 0 and ready = 0 and delayed = 0 and buried = 0
            """)

    /// What brokers that are gone have told the others.
    static let forgetPublished = Statement(
        name: "forget_published",
        sql: """
            with awaited as (
                delete from tube_awaited where epoch = any ($1::bigint[])
            ), notices as (
                delete from notice where epoch = any ($1::bigint[])
            )
            delete from tube_held where epoch = any ($1::bigint[])
            """)

    /// All policies.
    static let policies = Statement(
        name: "policies",
        sql: """
            select
                tube_id, bury_after_timeouts, bury_after_releases, max_ready, history is not null
            from tube_policy
            """)
}
