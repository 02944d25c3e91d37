import TestKit

/// The objects of a migrated schema, and the rights of each role.
struct SchemaFacts: Sendable {
    /// Tables, views and sequences.
    let relations: Set<String>
    /// The columns of each relation.
    let columns: [String: Set<String>]
    /// The arguments and the result columns of each function, over all functions of the name.
    let arguments: [String: Set<String>]
    let results: [String: Set<String>]
    /// Functions without a comment, which only other functions call.
    let inner: Set<String>
    /// The relations that each role of `beanrow migrate roles` may read, and the functions that it may call.
    let mayRead: [String: Set<String>]
    let mayCall: [String: Set<String>]
    /// The warnings of the view `warnings`.
    let warnings: Set<String>

    static let shared = Result { try SchemaFacts() }

    private init() throws {
        let postgres = try TestPostgres.shared()
        let schema = postgres.freshSchema()
        for command in ["up", "roles"] {
            _ = try runProgram(
                BrokerProcess.beanrowPath(),
                ["migrate", command, "--database", postgres.connectionString, "--schema", schema])
        }
        func pairs(_ sql: String) throws -> [String: Set<String>] {
            try postgres.psql(sql.replacing("SCHEMA", with: "'\(schema)'::regnamespace")).split(separator: "\n")
                .reduce(into: [:]) { found, line in
                    let parts = line.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
                    found[parts[0], default: []].formUnion(parts[1].isEmpty ? [] : [parts[1]])
                }
        }
        columns = try pairs(
            """
            select relname, coalesce(attname::text, '') from pg_class
            left join pg_attribute on attrelid = pg_class.oid and attnum > 0 and not attisdropped
            where relnamespace = SCHEMA and relkind in ('r', 'p', 'v', 'S')
            """)
        relations = Set(columns.keys)
        let parameters = """
            select proname, coalesce(argument.name, '') from pg_proc
            left join lateral unnest(proargnames, coalesce(proargmodes, array_fill('i'::"char", array[pronargs])))
                as argument (name, mode) on argument.mode in (MODES)
            where pronamespace = SCHEMA
            """
        arguments = try pairs(parameters.replacing("MODES", with: "'i', 'b', 'v'"))
        results = try pairs(parameters.replacing("MODES", with: "'t', 'o'"))
        inner = Set(
            try pairs(
                """
                select proname, '' from pg_proc
                where pronamespace = SCHEMA and obj_description(oid, 'pg_proc') is null
                """
            ).keys)
        mayRead = try pairs(
            """
            select substr(rolname, length('\(schema)_') + 1), relname
            from pg_class, aclexplode(relacl) as granted join pg_roles on pg_roles.oid = grantee
            where relnamespace = SCHEMA and rolname like '\(schema)\\_%' and privilege_type = 'SELECT'
            """)
        mayCall = try pairs(
            """
            select substr(rolname, length('\(schema)_') + 1), proname
            from pg_proc, aclexplode(proacl) as granted join pg_roles on pg_roles.oid = grantee
            where pronamespace = SCHEMA and rolname like '\(schema)\\_%'
            """)
        warnings = Set(
            try postgres.psql("select pg_get_viewdef('\(schema).warnings'::regclass)")
                .matches(of: /'([a-z ]+)'::text(?: AS warning)?,/).map { String($0.1) })
    }
}
