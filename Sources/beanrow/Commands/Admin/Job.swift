import AdminAPI
import AdminClient
import ArgumentParser
import Foundation
import Terminal

struct Job: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show a job: its values, its holder, what happened to it, and its body.")

    @Argument(help: "The id of the job.")
    var id: Int64

    @Flag(name: .customLong("body-only"), help: "Write the bytes of the body, and nothing else.")
    var isBodyOnly = false

    @OptionGroup var printer: Printer
    @OptionGroup var listener: ListenerOptions

    func run() async throws {
        try await reporting("job") {
            let client = try listener.client()
            if isBodyOnly { return FileHandle.standardOutput.write(try await client.body(id)) }
            let detail = try await client.job(id)
            guard printer.isTable else { return try Printer.say(detail) }
            // The screen of `beanrow top` has it all.
            let overview = try await client.overview()
            try printer.show(detail) { Top.lines(of: detail, overview, width: Printer.width ?? 80, Printer.charset) }
        }
    }
}
