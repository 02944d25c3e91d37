/// The notifier's statements: what brokers tell each other (design, section 7).
extension Statement {
    static let notifier: [Statement] = [beginWait, endWait, awaited, tell, notify, takeNews, look, foldSQL]

    /// Nothing of a notifier has to survive a crash, which ends the waits too.
    static func listen(to schema: String) -> String {
        "set synchronous_commit to off; listen \(identifier(schema))"
    }

    /// Clients of this broker wait for these tubes.
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

    /// Those of the tubes that exist. Asked after the commit of `beginWait`: whoever has not seen that then has put
    /// before.
    static let awaited = Statement(
        name: "awaited", sql: "select id, name from tube where name = any ($1::text[])")

    /// Leaves word for those whose clients wait for the tube of a job that has been made ready, and for everybody of a
    /// new tube. Returns whether there is anybody to be notified.
    static let tell = Statement(
        name: "tell",
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
            """)

    /// It says no more than that there is something to look at, and everybody may say so. By itself, since it takes a
    /// lock of the whole cluster at its commit.
    static let notify = Statement(name: "notify", sql: "select pg_notify($1::text, '')")

    /// Takes what others have left for this broker. A tube without a name has been removed.
    static let takeNews = Statement(
        name: "take_news",
        sql: """
            with taken as (
                delete from notice where epoch = $1::bigint returning tube_id, priority, job_id
            )
            select taken.tube_id, tube.name, taken.priority, taken.job_id
            from taken
            left join tube on tube.id = taken.tube_id
            """)
}
