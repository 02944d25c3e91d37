/// The migrator's statements. They are not prepared, and have no names: each is run once or twice.
extension Statement {
    static let lockMigrations = Statement(
        name: "", sql: "select pg_advisory_lock(hashtextextended('beanrow migrate ' || $1::text, 0))")
    static let unlockMigrations = Statement(
        name: "", sql: "select pg_advisory_unlock(hashtextextended('beanrow migrate ' || $1::text, 0))")

    /// Functions keep it (`set search_path from current`), so temporary tables come last: one that runs with its owner's
    /// rights must not find a caller's in place of ours.
    static let useSchema = Statement(
        name: "", sql: "select set_config('search_path', quote_ident($1::text) || ', pg_temp', false)")

    static let findSchema = Statement(name: "", sql: "select from pg_namespace where nspname = $1::text")

    static let findMigrations = Statement(
        name: "",
        sql: """
            select from information_schema.tables where table_schema = $1::text and table_name = 'migration'
            """)

    /// In a schema that is there, to create is the right of its owner; else it is a right on the database.
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
            applied_at timestamptz not null default now())
        """

    static let migrations = Statement(name: "", sql: "select version, checksum from migration order by version")

    static let recordMigration = Statement(
        name: "",
        sql: "insert into migration (version, name, checksum) values ($1::integer, $2::text, $3::bigint)")

    static let forgetMigration = Statement(name: "", sql: "delete from migration where version = $1::integer")
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
