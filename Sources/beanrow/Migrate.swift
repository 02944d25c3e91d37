import ArgumentParser
import PostgresStore

struct Migrate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the schema's migrations by hand.",
        subcommands: [Up.self, Down.self, Status.self])

    struct Up: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Bring the schema to this program's version.")
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            let version = try await migrator(database) { try $0.up() }
            print("schema \(database.schema) is at version \(version)")
        }
    }

    struct Down: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take the latest migration back. The first one holds the jobs: they are dropped with it.")
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
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

private func migrator<Value: Sendable>(
    _ database: DatabaseOptions, _ body: @escaping @Sendable (Migrator) throws -> Value
) async throws -> Value {
    guard let url = database.url else {
        throw ValidationError("Say which database: --database or BEANROW_DATABASE. The embedded one migrates itself.")
    }
    let schema = database.schema
    return try await onThread { try body(Migrator(database: url, schema: schema)) }
}
