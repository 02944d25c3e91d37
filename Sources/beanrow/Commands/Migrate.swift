import ArgumentParser
import PostgresStore

struct Migrate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the schema's migrations by hand, and make the roles for its users.",
        subcommands: [Up.self, Down.self, Status.self, Roles.self, Role.self])

    struct Up: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Bring the schema to this program's version.")
        @OptionGroup var database: DatabaseOptions
        @Flag(help: printsHelp) var sql = false

        func run() async throws {
            if sql {
                return try await printScript(
                    database, { try $0.upScript() }, orWithoutDatabase: MigrationScript.upFromNothing)
            }
            let version = try await migrator(database) { try $0.up() }
            print("schema \(database.schema) is at version \(version)")
        }
    }

    struct Down: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Undo the latest migration. The first one holds the jobs: undoing it drops them.")
        @OptionGroup var database: DatabaseOptions
        @Flag(help: printsHelp) var sql = false

        func run() async throws {
            if sql {
                return try await printScript(
                    database, { try $0.downScript() }, orWithoutDatabase: MigrationScript.downFromLatest)
            }
            let version = try await migrator(database) { try $0.down() }
            print("schema \(database.schema) is at version \(version)")
        }
    }

    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show which migrations have been applied to the schema.")
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            for step in try await migrator(database, { try $0.status() }) {
                print("\(step.version) \(step.name): \(step.isApplied ? "applied" : "missing")")
            }
        }
    }
}

extension Migrate {
    struct Roles: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a role for each task in the schema: reader, producer, worker, operator, broker.",
            discussion: """
                The roles are named after the schema (beanrow_reader and so on). Missing roles are created without a \
                login. Each role gets exactly the privileges in the schema that its task needs. Run this as the \
                schema's owner or a superuser. `migrate up` renews the privileges of the roles that exist.
                """)
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            let (url, schema) = (try given(database), database.schema)
            let roles = try await onThread { try RoleMaker(database: url, schema: schema).makeAll() }
            print("roles of schema \(schema): \(roles.joined(separator: ", "))")
        }
    }

    struct Role: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give a role of any name the privileges that a broker needs in the schema, and no others.",
            discussion: """
                Run this as the schema's owner or a superuser, and again after `migrate up`. A missing role is created \
                without a login: brokers log in as a member of it, or you give it a login and a password.
                """)
        @OptionGroup var database: DatabaseOptions
        @Argument(help: "The role; created if it is missing.") var name: String

        func run() async throws {
            let (url, schema, name) = (try given(database), database.schema, name)
            try await onThread { try RoleMaker(database: url, schema: schema).makeBroker(name) }
            print("role \(name) may serve schema \(schema), and do nothing else in it")
        }
    }
}

private let printsHelp: ArgumentHelp = """
    Print a script for psql, and run nothing. Without a database: the script for an empty database (up), or for one \
    with all migrations (down).
    """

private func printScript(
    _ database: DatabaseOptions, _ script: @escaping @Sendable (Migrator) throws -> MigrationScript,
    orWithoutDatabase general: (String) -> MigrationScript
) async throws {
    let script = database.url == nil ? general(database.schema) : try await migrator(database, script)
    print(script.text, terminator: "")
}

private func given(_ database: DatabaseOptions) throws -> String {
    guard let url = database.url else {
        throw ValidationError("Name the database: --database or BEANROW_DATABASE. The embedded one migrates itself.")
    }
    return url
}

private func migrator<Value: Sendable>(
    _ database: DatabaseOptions, _ body: @escaping @Sendable (Migrator) throws -> Value
) async throws -> Value {
    let (url, schema) = (try given(database), database.schema)
    return try await onThread { try body(Migrator(database: url, schema: schema)) }
}
