/// The statements that make roles. PostgreSQL takes no parameter for the name of a role or a schema: those are quoted.
extension Statement {
    static func createRole(_ role: String) -> String { "create role \(identifier(role)) nologin" }

    /// Takes back whatever the role may do in the schema.
    static func revokeAll(from role: String, in schema: String) -> String {
        let (role, schema) = (identifier(role), identifier(schema))
        let objects = ["tables", "sequences", "routines"].map { kind in
            "revoke all on all \(kind) in schema \(schema) from \(role)"
        }
        return (["revoke all on schema \(schema) from \(role)"] + objects).joined(separator: "; ")
    }

    static func grantUsage(to role: String, of schema: String) -> String {
        "grant usage on schema \(identifier(schema)) to \(identifier(role))"
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

    /// Whether it is this session's to grant rights in the schema ($1).
    static let mayGrant = Statement(
        name: "may_grant",
        sql: """
            select exists (select from pg_namespace where nspname = $1::text and pg_has_role(nspowner, 'usage'))
            """)

    /// The grants of a role ($1) in a schema ($2), a statement for each object that is there.
    static let grants = Statement(
        name: "grants",
        sql: """
            select format(
                'grant %s on %s %s to %I', privileges, case kind when 'function' then 'routine' else kind end, object,
                $1::text)
            from (\(listed)) as listed
            where object is not null
            """)

    /// What of the grants has no object, for which parameter 1 is not needed.
    static let missingObjects = Statement(
        name: "missing_objects",
        sql: "select kind || ' ' || name from (\(listed)) as listed where object is null and $1::text is not null")

    /// Whether the grants have come about: PostgreSQL only warns when somebody grants what is not theirs to grant.
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

    /// Objects of the schema ($2) by kind ($3) and name ($4), with privileges ($5); the object is null if there is
    /// none.
    private static let listed = """
        select listed.kind, listed.name, listed.privileges, found.oid, found.object
        from unnest($3::text[], $4::text[], $5::text[]) as listed (kind, name, privileges)
        left join (
            select
                case relkind when 'S' then 'sequence' else 'table' end as kind, pg_class.oid, relname as name,
                format('%I.%I', nspname, relname) as object
            from pg_class
            join pg_namespace on pg_namespace.oid = relnamespace
            where nspname = $2::text
            union all
            select
                'function', pg_proc.oid, proname,
                format('%I.%I(%s)', nspname, proname, pg_get_function_identity_arguments(pg_proc.oid))
            from pg_proc
            join pg_namespace on pg_namespace.oid = pronamespace
            where nspname = $2::text
        ) as found on found.kind = listed.kind and found.name = listed.name
        """
}
