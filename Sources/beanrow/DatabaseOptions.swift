import ArgumentParser
import Foundation

/// Which database, and where in it.
struct DatabaseOptions: ParsableArguments {
    @Option(
        name: .customLong("database"),
        help: ArgumentHelp(
            "PostgreSQL: any libpq connection string or URL; also from BEANROW_DATABASE. Without it, a private one.",
            valueName: "url"))
    var given: String?

    @Option(help: ArgumentHelp("The schema of this queue; each is a queue of its own.", valueName: "name"))
    var schema = "beanrow"

    /// The option, else the environment.
    var url: String? {
        given ?? ProcessInfo.processInfo.environment["BEANROW_DATABASE"].flatMap { $0.isEmpty ? nil : $0 }
    }

    func validate() throws {
        guard (1...63).contains(schema.utf8.count) else {
            throw ValidationError("--schema takes a name of 1 to 63 bytes.")
        }
    }
}
