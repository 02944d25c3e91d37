import ArgumentParser
import PostgresStore

struct Migrate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the schema's migrations by hand, and make the roles that it is used by.",
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
            abstract: "Take the latest migration back. The first one holds the jobs: they are dropped with it.")
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
        static let configuration = CommandConfiguration(abstract: "Tell which migrations the schema has.")
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
                They are named after the schema (beanrow_reader and so on). Those that are missing are created without a \
                login, and the privileges of each in the schema are made what its task needs, no fewer and no more. Run \
                it as the schema's owner or a superuser. `migrate up` renews the privileges of those that are there.
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
            abstract: "Give a role of any name what a broker needs in the schema, and nothing else.",
            discussion: """
                Run it as the schema's owner or a superuser, and again after `migrate up`. A role that is missing is \
                created without a login: brokers log in as a member of it, or you give it a login and a password.
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
    Print what would be run, as a script for psql, and run nothing. Without a database: for one that has nothing yet \
    (up), or has everything (down).
    """

private func printScript(
    _ database: DatabaseOptions, _ script: @escaping @Sendable (Migrator) throws -> MigrationScript,
    orWithoutDatabase other: (String) -> MigrationScript
) async throws {
    let script = database.url == nil ? other(database.schema) : try await migrator(database, script)
    print(script.text, terminator: "")
}

private func given(_ database: DatabaseOptions) throws -> String {
    guard let url = database.url else {
        throw ValidationError("Say which database: --database or BEANROW_DATABASE. The embedded one migrates itself.")
    }
    return url
}

private func migrator<Value: Sendable>(
    _ database: DatabaseOptions, _ body: @escaping @Sendable (Migrator) throws -> Value
) async throws -> Value {
    let (url, schema) = (try given(database), database.schema)
    return try await onThread { try body(Migrator(database: url, schema: schema)) }
}
