/// The audit of what viewers do.
extension Statement {
    static let addAudit = Statement(
        name: "",
        sql: """
            insert into audit (viewer, action, object, arguments, changed, error)
            values ($1::text, $2::text, $3::text, $4::text, $5::bigint, $6::text)
            """)

    /// Removes what is older than 90 days, a part at a time.
    static let trimAudit = Statement(
        name: "",
        sql: """
            delete from audit where id = any (array(
                select id from audit where id < (select max(id) from audit) order by id limit 100))
                and at < now() - interval '90 days'
            """)

    /// The newest before $1.
    static let auditEntries = Statement(
        name: "",
        sql: """
            select id, at, viewer, action, object, arguments, changed, error from audit
            where $1::bigint is null or id < $1
            order by id desc
            limit $2::integer
            """,
        columns: AuditColumns.self)

    /// What was done to one object ($1).
    static let auditOfObject = Statement(
        name: "",
        sql: """
            select id, at, viewer, action, object, arguments, changed, error from audit
            where object = $1::text and error is null
            order by id desc
            limit 50
            """,
        columns: AuditColumns.self)
}
