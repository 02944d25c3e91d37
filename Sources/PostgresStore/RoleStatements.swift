/// What a role may do with a schema: all that its task needs, and nothing else.
enum Privileges {
    /// What a broker does, by table and sequence.
    static let broker: [(object: String, privileges: String)] = [
        ("table migration", "select"),
        ("table tube", "select, insert, update"),
        ("table job", "select, insert, update, delete"),
        ("table broker", "select, insert, update, delete"),
        // Locking a row for key share asks for update.
        ("table fence", "select, insert, update, delete"),
        ("table ledger", "select, insert, update, delete"),
        ("table tube_count", "select, insert, update"),
        ("table tube_held", "select, insert, update, delete"),
        ("table tube_awaited", "select, insert, delete"),
        ("table tube_policy", "select"),
        ("table policy_version", "select"),
        ("table job_history", "insert"),
        ("function keep_history()", "execute"),
        ("sequence job_id", "usage"),
        ("sequence job_bury_order", "usage"),
    ]
}

/// The statements that make roles. PostgreSQL takes no parameter for the name of a role or a schema: those are quoted.
extension Statement {
    static func createRole(_ role: String) -> String { "create role \(identifier(role)) nologin" }

    /// Takes back whatever the role may do in the schema, then grants what it shall be able to.
    static func grant(_ granted: [(object: String, privileges: String)], to role: String, in schema: String) -> String {
        let (role, schema) = (identifier(role), identifier(schema))
        let kinds = ["tables", "sequences", "functions"]
        let revokes =
            ["revoke all on schema \(schema) from \(role)"]
            + kinds.map { kind in "revoke all on all \(kind) in schema \(schema) from \(role)" }
        let grants =
            ["grant usage on schema \(schema) to \(role)"]
            + granted.map { "grant \($0.privileges) on \($0.object) to \(role)" }
        return (["set local search_path to \(schema)"] + revokes + grants).joined(separator: "; ")
    }

    /// What is known of a role: whether it is a superuser, and whether it owns the schema or something in it.
    static let roleFacts = Statement(
        name: "role_facts",
        sql: """
            select
                role.rolsuper,
                exists (
                    select from pg_namespace
                    left join pg_class on pg_class.relnamespace = pg_namespace.oid
                    where pg_namespace.nspname = $2::text and role.oid in (pg_namespace.nspowner, pg_class.relowner))
            from pg_roles as role
            where role.rolname = $1::text
            """)

    /// Whether the grants have come about: PostgreSQL only warns when somebody grants what is not theirs to grant.
    static let mayServe = Statement(
        name: "may_serve",
        sql: """
            select
                has_schema_privilege($1::text, pg_namespace.oid, 'usage')
                and bool_and(has_table_privilege($1::text, pg_class.oid, 'select'))
            from pg_namespace
            join pg_class on pg_class.relnamespace = pg_namespace.oid
            where pg_namespace.nspname = $2::text and pg_class.relname = any (string_to_array($3::text, ' '))
            group by pg_namespace.oid
            """)
}
