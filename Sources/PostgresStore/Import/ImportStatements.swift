/// The statements of an import. All but the first two run in one transaction.
extension Statement {
    static let importer: [Statement] = [
        findImport, otherSchemas, registeredBrokers, takenID, hasJobs, moveIDs, takeBurials, importTubes, importJobs,
        importCounts, recordImport,
    ]

    /// An import is durable once it is reported, and may take long.
    static let configureImport = Statement(
        name: "configure_import",
        sql: """
            select
                set_config('search_path', quote_ident($1::text) || ', pg_temp', false),
                set_config('synchronous_commit', 'on', false),
                set_config('idle_in_transaction_session_timeout', '0', false)
            """)

    /// The latest import of one of these files ($1) or of this folder ($2), and how many of the files have been imported.
    static let findImport = Statement(
        name: "find_import",
        sql: """
            select import.imported_at::text as imported_at, import.jobs,
                (select count(*) from import_file where signature = any ($1::bigint[])) as known_files
            from import
            where folder = $2::text
                or id in (select import_id from import_file where signature = any ($1::bigint[]))
            order by import.id desc
            limit 1
            """,
        columns: FoundImportColumns.self)

    /// The other schemas of this database that may have imports.
    static let otherSchemas = Statement(
        name: "other_schemas",
        sql: """
            select namespace.nspname::text
            from pg_class
            join pg_namespace as namespace on namespace.oid = pg_class.relnamespace
            where pg_class.relname = 'import_file' and pg_class.relkind = 'r'
                and namespace.nspname <> current_schema()
                and exists (
                    select from pg_attribute where attrelid = pg_class.oid and attname = 'signature' and atttypid = 20)
                and has_table_privilege(pg_class.oid, 'select')
            """,
        columns: OnlyColumn<String>.self)

    /// The number of the files ($1) that were imported into another schema.
    static func knownFiles(in schema: String) -> Statement {
        Statement(
            name: "",
            sql: "select count(*) from \(identifier(schema)).import_file where signature = any ($1::bigint[])")
    }

    /// Keeps brokers from registering and other imports from running, until the commit.
    static let lockOut = "lock table broker in share row exclusive mode"

    static let registeredBrokers = Statement(
        name: "registered_brokers", sql: "select epoch, pid, process_space, beats, host from broker",
        columns: RegisteredBrokerColumns.self)

    static let hasJobs = Statement(
        name: "has_jobs", sql: "select exists (select from job)", columns: OnlyColumn<Bool>.self)

    static let takenID = Statement(
        name: "taken_id", sql: "select id from job where id = any ($1::bigint[]) order by id limit 1",
        columns: OnlyColumn<Int64>.self)

    /// Moves the sequence of ids forward. A sequence is not part of the transaction: if the import fails later, ids are
    /// left out, which does no harm.
    static let moveIDs = Statement(
        name: "move_ids", sql: "select setval('job_id', greatest(last_value, $1::bigint)) from job_id")

    /// Reserves $1 places in the order of burial. Returns the last one.
    static let takeBurials = Statement(
        name: "take_burials", sql: "select setval('job_bury_order', nextval('job_bury_order') + $1::bigint)",
        columns: OnlyColumn<Int64>.self)

    /// The rows of tubes by their names, one name a line. Missing rows are made.
    static let importTubes = Statement(
        name: "import_tubes",
        sql: """
            with given as (
                select unnest(string_to_array($1::text, E'\\n')) as name
            ), new as (
                insert into tube (name) select name from given on conflict (name) do nothing
                returning id, name
            )
            select id, name from new
            union all
            select tube.id, tube.name from tube join given using (name)
            """,
        columns: ExistingTubeColumns.self)

    /// Times are microseconds since 1970. A bury order of 0 is none.
    static let importJobs = Statement(
        name: "import_jobs",
        sql: """
            insert into job (
                id, tube_id, priority, state, ttr, delay, created_at, due_at, bury_order, reserves, timeouts, releases,
                buries, kicks, body)
            select
                id, tube_id, priority, state, ttr, delay,
                timestamptz 'epoch' + created_at * interval '1 microsecond',
                timestamptz 'epoch' + due_at * interval '1 microsecond',
                nullif(bury_order, 0), reserves, timeouts, releases, buries, kicks, body
            from unnest(
                $1::bigint[], $2::integer[], $3::bigint[], $4::smallint[], $5::bigint[], $6::bigint[], $7::bigint[],
                $8::bigint[], $9::bigint[], $10::integer[], $11::integer[], $12::integer[], $13::integer[],
                $14::integer[], $15::bytea[]
            ) as new (
                id, tube_id, priority, state, ttr, delay, created_at, due_at, bury_order, reserves, timeouts, releases,
                buries, kicks, body)
            """)

    static let importCounts = Statement(
        name: "import_counts",
        sql: "select add_to_counts($1::integer[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])")

    static let recordImport = Statement(
        name: "record_import",
        sql: """
            with new as (
                insert into import (folder, jobs, remarks) values ($1::text, $2::bigint, $3::text) returning id
            )
            insert into import_file (import_id, number, signature)
            select new.id, file.number, file.signature
            from new, unnest($4::bigint[], $5::bigint[]) as file (number, signature)
            """)
}
