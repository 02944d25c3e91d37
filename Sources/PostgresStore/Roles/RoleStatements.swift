/// The statements that make roles. PostgreSQL takes no parameter for the name of a role or a schema: names are quoted.
extension Statement {
    static func createRole(_ role: String) -> String { "create role \(identifier(role)) nologin" }

    /// A function here may be a procedure.
    private static let grantable = "case kind when 'function' then 'routine' else kind end"

    /// Statements that revoke all rights of the role ($1) on the schema ($2) and on our objects ($3) in it.
    static let revocations = Statement(
        name: "revocations",
        sql: """
            select format('revoke all on schema %I from %I', $2::text, $1::text)
            union all
            select format('revoke all on %s %s from %I', \(grantable), object, $1::text)
            from \(ownObjects(schema: "$2", names: "$3")) as own
            """)

    static func grantUsage(to role: String, of schema: String) -> String {
        "grant usage on schema \(identifier(schema)) to \(identifier(role))"
    }

    /// Whether a role ($1) is a superuser, and whether it owns the schema ($2) or one of our objects ($3) in it.
    static let roleFacts = Statement(
        name: "role_facts",
        sql: """
            select
                role.rolsuper,
                exists (select from pg_namespace where nspname = $2::text and nspowner = role.oid)
                    or exists (
                        select from \(ownObjects(schema: "$2", names: "$3")) as own where own.owner = role.oid)
            from pg_roles as role
            where role.rolname = $1::text
            """)

    /// True if this session may grant rights in the schema ($1), as the owner of our objects.
    static let mayGrant = Statement(
        name: "may_grant",
        sql: """
            select exists (
                select from pg_class
                join pg_namespace on pg_namespace.oid = relnamespace
                where nspname = $1::text and relname = 'migration' and pg_has_role(relowner, 'usage'))
            """)

    /// Statements that grant a role ($1) its privileges in a schema ($2), one for each object that exists.
    static let grants = Statement(
        name: "grants",
        sql: """
            select format('grant %s on %s %s to %I', privileges, \(grantable), object, $1::text)
            from (\(listed)) as listed
            where object is not null
            """)

    /// The objects that the privileges name and the schema ($2) does not have. Parameter 1 is not used.
    static let missingObjects = Statement(
        name: "missing_objects",
        sql: "select kind || ' ' || name from (\(listed)) as listed where object is null and $1::text is not null")

    /// True if the role ($1) has its privileges: PostgreSQL only warns when somebody grants what they may not grant.
    static let isGranted = Statement(
        name: "is_granted",
        sql: """
            select
                exists (
                    select from pg_namespace
                    where nspname = $2::text and has_schema_privilege($1::text, oid, 'usage'))
                and coalesce(bool_and(case kind
                    when 'function' then has_function_privilege($1::text, oid, privileges)
                    when 'sequence' then has_sequence_privilege($1::text, oid, privileges)
                    else has_table_privilege($1::text, oid, privileges)
                end), true)
            from (\(listed)) as listed
            where object is not null
            """)

    /// Our objects in the schema ($2) by kind ($3) and name ($4), with privileges ($5); null where there is none.
    private static let listed = """
        select listed.kind, listed.name, listed.privileges, found.oid, found.object
        from unnest($3::text[], $4::text[], $5::text[]) as listed (kind, name, privileges)
        left join \(ownObjects(schema: "$2", names: "$4")) as found
            on found.kind = listed.kind and found.name = listed.name
        """
}
