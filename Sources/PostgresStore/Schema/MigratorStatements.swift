/// The migrator's statements. Each is run once or twice, so they are not prepared, and have no names.
extension Statement {
    /// Tries the lock and does not wait for it: a session that waits has a snapshot, and the other session, if it builds
    /// an index concurrently, would wait for that snapshot to end.
    ///
    /// Any login could hold the lock. One that may not change the schema ($1) is not waited for.
    static let lockMigrations = Statement(
        name: "",
        sql: """
            select pg_try_advisory_lock(\(migrationKey)) or not exists (
                select \(migrationLock)
                    and coalesce(
                        (select has_schema_privilege(usesysid, oid, 'create') from pg_namespace where nspname = $1::text),
                        has_database_privilege(usesysid, current_database(), 'create')))
            """)
    static let unlockMigrations = Statement(
        name: "",
        sql: """
            select pg_advisory_unlock(\(migrationKey))
            where exists (select \(migrationLock) and pg_locks.pid = pg_backend_pid())
            """)

    private static let migrationKey = "hashtextextended('beanrow migrate ' || $1::text, 0)"
    private static let migrationLock = """
        from pg_locks
        join pg_stat_activity as activity on activity.pid = pg_locks.pid
        where locktype = 'advisory' and granted and objsubid = 1 and activity.datname = current_database()
            and database = activity.datid and classid::bigint << 32 | objid::bigint = \(migrationKey)
        """

    /// Settings of the database or the role must not decide how a step is read, or what it makes. A setting that this
    /// server does not have is left out. Tables go into the tablespace that the administrator has set; but PostgreSQL
    /// makes no partitioned table while the setting names the database's own tablespace.
    static let configureMigrations = """
        do $$
        begin
            perform set_config(name, value, false) from (values
                ('default_transaction_isolation', 'read committed'), ('default_transaction_deferrable', 'off'),
                ('statement_timeout', '0'), ('lock_timeout', '0'), ('idle_session_timeout', '0'),
                ('idle_in_transaction_session_timeout', '0'), ('transaction_timeout', '0'),
                ('standard_conforming_strings', 'on'), ('quote_all_identifiers', 'off'),
                ('transform_null_equals', 'off'), ('check_function_bodies', 'on'),
                ('datestyle', 'ISO'), ('intervalstyle', 'postgres'), ('timezone', 'UTC'),
                ('default_table_access_method', 'heap')
            ) as setting (name, value)
            where current_setting(name, true) is not null;
            perform set_config('plpgsql.extra_errors', 'none', false) from pg_roles
            where rolname = current_user and rolsuper;
            perform set_config('default_tablespace', '', false) from pg_database
            join pg_tablespace on pg_tablespace.oid = dattablespace
            where datname = current_database() and spcname = current_setting('default_tablespace');
        end
        $$
        """

    /// Functions keep this path (`set search_path from current`). Temporary tables come last in it: a function that runs
    /// with its owner's rights must not find a caller's table in place of ours. PostgreSQL's own schema comes first by
    /// itself.
    static let useSchema = Statement(
        name: "", sql: "select set_config('search_path', quote_ident($1::text) || ', pg_temp', false)")

    static let findSchema = Statement(name: "", sql: "select from pg_namespace where nspname = $1::text")

    static let findMigrations = Statement(
        name: "",
        sql: """
            select from information_schema.tables where table_schema = $1::text and table_name = 'migration'
            """)

    /// True if this role may create in the schema ($1), or may make the schema if there is none.
    static let mayChangeSchema = Statement(
        name: "",
        sql: """
            select coalesce(
                (select has_schema_privilege(oid, 'create') from pg_namespace where nspname = $1::text),
                has_database_privilege(current_database(), 'create'))
            """)

    /// PostgreSQL takes no parameter for the name of a schema: it is quoted.
    static func createSchema(_ schema: String) -> String { "create schema if not exists \(identifier(schema))" }

    static let createMigrations = """
        create table migration (
            version integer primary key, name text not null, checksum bigint not null,
            applied_at timestamptz not null default now());
        comment on table migration is 'The migrations that this schema has.';
        comment on column migration.version is 'The number of the migration.';
        comment on column migration.name is 'Its name.';
        comment on column migration.checksum is 'A hash of its file.';
        comment on column migration.applied_at is 'When it was applied.'
        """

    static let migrations = Statement(name: "", sql: "select version, name, checksum from migration order by version")

    static let recordMigration = Statement(
        name: "",
        sql: "insert into migration (version, name, checksum) values ($1::integer, $2::text, $3::bigint)")

    static let forgetMigration = Statement(name: "", sql: "delete from migration where version = $1::integer")

    /// Limits each wait for a lock in this transaction, in milliseconds ($1). The work has no limit.
    ///
    /// Also notes which functions were in the schema before, for `hide_functions`.
    static let limitWaits = Statement(
        name: "",
        sql: """
            select set_config('lock_timeout', $1::integer::text, true), \(noteFunctions)
            """)

    private static let noteFunctions = """
        set_config('beanrow.functions_before', (
            select coalesce(string_agg(pg_proc.oid::text, ' '), '') from pg_proc
            join pg_namespace on pg_namespace.oid = pronamespace
            where nspname = current_schema()), true)
        """

    /// Hides what PostgreSQL says about an index that is there already. A concurrent build stops nobody while it waits,
    /// so its waits have no limit.
    static let beginBuilding = "set client_min_messages to warning"
    static let endBuilding = "reset client_min_messages"

    /// True if the index of this name ($2) in the schema ($1) is left over from a build that failed.
    static let isInvalidIndex = Statement(
        name: "",
        sql: """
            select exists (
                select from pg_index
                join pg_class on pg_class.oid = pg_index.indexrelid
                join pg_namespace on pg_namespace.oid = pg_class.relnamespace
                where pg_namespace.nspname = $1::text and pg_class.relname = $2::text and not pg_index.indisvalid)
            """)

    static func dropIndex(_ index: String) -> String { "drop index concurrently if exists \(identifier(index))" }

    /// Other sessions that have a lock on one of our tables ($3) in the schema ($1), and whose transactions began longer
    /// ago than a step waits ($2, in milliseconds); the oldest first. PostgreSQL does not show everybody whose
    /// transaction that is, and when it began.
    static let sessionsInTheWay = Statement(
        name: "",
        sql: """
            select
                activity.pid, coalesce(activity.application_name, ''),
                coalesce(extract(epoch from clock_timestamp() - activity.xact_start)::bigint, -1)
            from pg_stat_activity as activity
            where activity.pid <> pg_backend_pid()
                and coalesce(activity.xact_start < clock_timestamp() - make_interval(secs => $2::integer / 1e3), true)
                and exists (
                    select from pg_locks
                    join \(ownObjects(schema: "$1", names: "$3")) as own
                        on own.kind = 'table' and own.oid = pg_locks.relation
                    where pg_locks.pid = activity.pid and pg_locks.granted
                        and pg_locks.database = (select oid from pg_database where datname = current_database()))
            order by activity.xact_start nulls last
            limit 3
            """)
}

/// What a script for psql has in the place of statements with parameters.
extension Statement {
    /// Refuses if another migration is under way. `beanrow migrate` waits while the script runs.
    static func lockInScript(_ schema: String) -> String {
        """
        set beanrow.schema to \(textLiteral(schema));
        do $$
        begin
            if not pg_try_advisory_lock(hashtextextended('beanrow migrate ' || current_setting('beanrow.schema'), 0)) then
                raise exception 'another migration of this schema is under way';
            end if;
        end
        $$;

        """
    }

    static let unlockInScript = """
        do $$
        begin
            perform pg_advisory_unlock(hashtextextended('beanrow migrate ' || current_setting('beanrow.schema'), 0));
        end
        $$;

        """

    static func useSchemaInScript(_ schema: String) -> String { "set search_path to \(identifier(schema)), pg_temp;\n" }

    static let limitWaitsInScript =
        "set local lock_timeout to '2s';\ndo $$ begin perform \(noteFunctions); end $$;\n"

    static func dropInvalidIndexInScript(_ index: String) -> String {
        """
        select format('drop index concurrently %s', indexrelid::regclass) from pg_index
        where indexrelid = to_regclass(\(textLiteral(index))) and not indisvalid \\gexec

        """
    }

    static func recordInScript(_ step: MigrationStep) -> String {
        let (version, name, checksum) = (step.migration.version, step.migration.name, step.migration.checksum)
        return step.direction == .up
            ? "insert into migration (version, name, checksum) values (\(version), \(textLiteral(name)), \(checksum));\n"
            : "delete from migration where version = \(version);\n"
    }
}

/// A text in single quotes, for scripts. A backslash stands for itself (`standard_conforming_strings`).
private func textLiteral(_ text: String) -> String {
    "'" + String(String.UnicodeScalarView(text.unicodeScalars.flatMap { $0 == "'" ? ["'", "'"] : [$0] })) + "'"
}

/// A name in double quotes, for the few places where SQL takes no parameter.
///
/// By Unicode scalars: a quote with an accent on it is another Character, and still a quote to PostgreSQL.
func identifier(_ name: String) -> String {
    var quoted = String.UnicodeScalarView(["\""])
    for scalar in name.unicodeScalars {
        if scalar == "\"" { quoted.append(scalar) }
        quoted.append(scalar)
    }
    quoted.append("\"")
    return String(quoted)
}
