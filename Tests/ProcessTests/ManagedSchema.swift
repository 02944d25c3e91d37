import TestKit

/// A schema of the shared cluster, with `beanrow migrate` and SQL in it by different roles.
struct ManagedSchema {
    let postgres: TestPostgres
    let name: String

    init() throws {
        postgres = try TestPostgres.shared()
        name = postgres.freshSchema()
    }

    /// The connection string of a user, by default the owner of the cluster.
    func database(as user: String? = nil) -> String {
        user.map { postgres.connectionString.replacing("user=beanrow", with: "user=\($0)") }
            ?? postgres.connectionString
    }

    /// Runs `beanrow migrate`.
    /// - Returns: What it prints.
    func migrate(_ arguments: String..., as user: String? = nil, schema: String? = nil) throws -> String {
        try runProgram(
            BrokerProcess.beanrowPath(),
            ["migrate"] + arguments + ["--database", database(as: user), "--schema", schema ?? name])
    }

    /// Runs SQL in the schema as a user.
    /// - Returns: The result or the error.
    func attempt(_ sql: String, as user: String) throws -> String {
        do {
            return try runProgram(
                psqlProgram.get(),
                [
                    "-X", "-w", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", database(as: user), "-c",
                    "set search_path to \(name)", "-c", sql,
                ])
        } catch {
            return "\(error)"
        }
    }
}
