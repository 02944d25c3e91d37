import ArgumentParser

/// The version that `-v` and `stats` tell.
let beanrowVersion = "0.1.0"

@main
struct Beanrow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "beanrow",
        abstract: "A beanstalkd that keeps every job as a row in PostgreSQL.",
        subcommands: [Serve.self, Migrate.self],
        defaultSubcommand: Serve.self)
}
