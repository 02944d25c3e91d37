/// The notifier's statements: what brokers tell each other (design, section 7).
extension Statement {
    static let notifier: [Statement] = [beginWait, endWait, awaited, tell, look, foldSQL]

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

    /// Notifies those whose clients wait for the tube of a job that has been made ready, and everybody of a new tube.
    /// Without a reason the transaction stays a reading one, and takes no lock at its commit.
    static let tell = Statement(
        name: "tell",
        sql: """
            select pg_notify($2::text, concat_ws(' ', tube.id, news.priority, news.id, tube.name))
            from unnest($3::integer[], $4::bigint[], $5::bigint[], $6::boolean[])
                as news (tube_id, priority, id, is_new)
            join tube on tube.id = news.tube_id
            where news.is_new or exists (
                select from tube_awaited
                where tube_awaited.tube = tube.name and tube_awaited.epoch <> $1::bigint
            )
            """)
}
