import ArgumentParser

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// The database and the schema in it.
struct DatabaseOptions: ParsableArguments {
    @Option(
        name: .customLong("database"),
        help: ArgumentHelp(
            "PostgreSQL: any libpq connection string or URL; also from BEANROW_DATABASE. Without it, a private one.",
            valueName: "url"))
    var given: String?

    @Option(help: ArgumentHelp("The schema of this queue; each schema is a queue of its own.", valueName: "name"))
    var schema = "beanrow"

    /// The option, else the environment variable, else `nil`.
    var url: String? {
        given ?? getenv("BEANROW_DATABASE").map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    }

    func validate() throws {
        guard (1...63).contains(schema.utf8.count) else {
            throw ValidationError("--schema takes a name of 1 to 63 bytes.")
        }
    }
}
