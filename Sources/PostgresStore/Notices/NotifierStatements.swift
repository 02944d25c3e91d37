/// The notifier's statements: what brokers tell each other (docs/ARCHITECTURE.md, Several brokers).
extension Statement {
    static let notifier: [Statement] = [
        beginWait, endWait, existingTubes, awaitedElsewhere, insertNotices, notify, takeNotices, sqlActivity, foldSQL,
    ]

    /// Nothing that a notifier writes has to survive a crash: a crash ends the waits too.
    static func listen(to schema: String) -> String {
        "set synchronous_commit to off; listen \(identifier(schema))"
    }

    /// Records that clients of this broker wait for these tubes.
    static let beginWait = Statement(
        name: "begin_wait",
        sql: """
            insert into tube_awaited (epoch, tube)
            select broker.epoch, new.tube from broker, unnest($2::text[]) as new (tube)
            where broker.epoch = $1::bigint
            for key share of broker
            on conflict do nothing
            """)

    static let endWait = Statement(
        name: "end_wait", sql: "delete from tube_awaited where epoch = $1::bigint and tube = any ($2::text[])")

    /// The tubes of these names that exist. Runs after the commit of `beginWait`: a put that has not seen the wait is
    /// visible by then.
    static let existingTubes = Statement(
        name: "existing_tubes", sql: "select id, name from tube where name = any ($1::text[])",
        columns: ExistingTubeColumns.self)

    /// The tubes for which clients of other brokers wait.
    static let awaitedElsewhere = Statement(
        name: "awaited_elsewhere", sql: "select distinct tube from tube_awaited where epoch <> $1::bigint",
        columns: OnlyColumn<String>.self)

    /// Inserts notices for the brokers whose clients wait for the tube of a job that has become ready, and for all brokers
    /// about a new tube. True if there is a broker to notify.
    static let insertNotices = Statement(
        name: "insert_notices",
        sql: """
            with told as (
                insert into notice (epoch, tube_id, priority, job_id)
                select broker.epoch, tube.id, news.priority, news.id
                from unnest($2::integer[], $3::bigint[], $4::bigint[], $5::boolean[])
                    as news (tube_id, priority, id, is_new)
                join tube on tube.id = news.tube_id
                cross join broker
                where broker.epoch <> $1::bigint and (
                    news.is_new or exists (
                        select from tube_awaited
                        where tube_awaited.tube = tube.name and tube_awaited.epoch = broker.epoch))
                returning epoch
            )
            select exists (select from told)
            """,
        columns: OnlyColumn<Bool>.self)

    /// Tells the other brokers to look for notices, and what has changed besides ($2). A transaction of its own, since its commit takes a lock of the whole
    /// cluster.
    static let notify = Statement(name: "notify", sql: "select pg_notify($1::text, $2::text)")

    /// Takes the notices for this broker. A tube without a name has been removed.
    static let takeNotices = Statement(
        name: "take_notices",
        sql: """
            with taken as (
                delete from notice where epoch = $1::bigint returning tube_id, priority, job_id
            )
            select taken.tube_id, tube.name, taken.priority, taken.job_id
            from taken
            left join tube on tube.id = taken.tube_id
            """,
        columns: NoticeColumns.self)
}
