import AdminAPI
import AdminClient
import ArgumentParser

struct Resume: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Go on with an operation that was stopped, or whose broker has ended.")

    @Argument(help: "The number of the operation.")
    var operation: Int64

    @OptionGroup var printer: Printer
    @OptionGroup var listener: ListenerOptions

    func run() async throws {
        try await reporting("resume") {
            let client = try listener.client()
            let operation = try await client.resume(operation: operation)
            try await OperationFollower(client: client, printer: printer).follow(operation)
        }
    }
}
