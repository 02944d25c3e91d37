import AdminAPI
import ArgumentParser

struct Kick: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Make buried or delayed jobs ready.")
    @OptionGroup var bulk: Bulk

    func run() async throws { try await bulk.run(.kick, asksForIds: false) }
}

struct Delete: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Delete jobs.")
    @OptionGroup var bulk: Bulk

    func run() async throws { try await bulk.run(.delete, asksForIds: true) }
}

struct Bury: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Bury jobs.")
    @OptionGroup var bulk: Bulk

    @Option(help: ArgumentHelp("Their new priority (default: the one that they have).", valueName: "number"))
    var priority: UInt32?

    func run() async throws { try await bulk.run(.bury, priority: priority.map { Int64($0) }, asksForIds: false) }
}

struct Move: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Move jobs to another tube. They keep ids and counters.")
    @OptionGroup var bulk: Bulk

    @Option(help: ArgumentHelp("The tube that they move to.", valueName: "tube"))
    var to: String

    func run() async throws { try await bulk.run(.move, to: to, asksForIds: false) }
}
