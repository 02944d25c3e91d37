/// The statements of an import, all of one transaction but for the first two.
extension Statement {
    static let importer: [Statement] = [
        findImport, otherSchemas, registeredBrokers, takenID, hasJobs, moveIDs, takeBurials, importTubes, importJobs,
        importCounts, recordImport,
    ]

    /// An import is sure once it is told, and may take its time.
    static let configureImport = Statement(
        name: "configure_import",
        sql: """
            select
                set_config('search_path', quote_ident($1::text) || ', pg_temp', false),
                set_config('synchronous_commit', 'on', false),
                set_config('idle_in_transaction_session_timeout', '0', false)
            """)

    /// The latest import that took in one of these files ($1), or this folder ($2), and how many of the files are
    /// known.
    static let findImport = Statement(
        name: "find_import",
        sql: """
            select import.folder, import.imported_at::text, import.jobs,
                (select count(*) from import_file where signature = any ($1::bigint[]))
            from import
            where folder = $2::text
                or id in (select import_id from import_file where signature = any ($1::bigint[]))
            order by import.id desc
            limit 1
            """)

    /// The other instances of this database that can have imported.
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
            """)

    /// How many of the files one of them has.
    static func knownFiles(in schema: String) -> Statement {
        Statement(
            name: "",
            sql: "select count(*) from \(identifier(schema)).import_file where signature = any ($1::bigint[])")
    }

    /// Keeps brokers from registering and others from importing, until the commit.
    static let lockOut = "lock table broker in share row exclusive mode"

    /// All that are registered: epoch, pid, process space, number of the last heartbeat, host.
    static let registeredBrokers = Statement(
        name: "registered_brokers", sql: "select epoch, pid, process_space, beats, host from broker")

    static let hasJobs = Statement(name: "has_jobs", sql: "select exists (select from job)")

    static let takenID = Statement(
        name: "taken_id", sql: "select id from job where id = any ($1::bigint[]) order by id limit 1")

    /// Forward only. A sequence is in no transaction: what fails later leaves a gap in the ids, which does no harm.
    static let moveIDs = Statement(
        name: "move_ids", sql: "select setval('job_id', greatest(last_value, $1::bigint)) from job_id")

    /// Reserves $1 places in the order of burial; returns the last.
    static let takeBurials = Statement(
        name: "take_burials", sql: "select setval('job_bury_order', nextval('job_bury_order') + $1::bigint)")

    /// The rows of tubes by their names, one a line, made where they are missing.
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
            """)

    /// Times are microseconds since 1970; a bury order of 0 is none.
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
