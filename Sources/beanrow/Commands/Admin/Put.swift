import AdminAPI
import AdminClient
import ArgumentParser
import Foundation
import LogKeys
import Terminal

struct Put: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Put a job.", discussion: "Without a body, or with -, the body is read from standard input.")

    @Argument(help: "The tube.") var tube: String
    @Argument(help: ArgumentHelp("The body.", valueName: "body")) var text: String?

    @Option(help: ArgumentHelp("The smallest goes first (default: that of the broker).", valueName: "number"))
    var priority: UInt32?

    @Option(help: ArgumentHelp("Until it is ready: 90, 90s, 5m, 2h or 3d (default: 0).", valueName: "time"))
    var delay: String?

    @Option(help: ArgumentHelp("How long a worker may have it (default: that of the broker).", valueName: "time"))
    var ttr: String?

    @Option(
        help: ArgumentHelp("While the tube has a job with this key, its id is the answer.", valueName: "key"))
    var key: String?

    @OptionGroup var printer: Printer
    @OptionGroup var listener: ListenerOptions

    func validate() throws { _ = try times }

    private var times: (delay: Int64?, ttr: Int64?) {
        get throws {
            (
                try delay.map { Int64(try JobFilterOptions.seconds($0, "--delay")) },
                try ttr.map { Int64(try JobFilterOptions.seconds($0, "--ttr")) }
            )
        }
    }

    func run() async throws {
        try await reporting("put") {
            var request = PutRequest(tube: tube, priority: priority.map { Int64($0) }, key: key)
            (request.delaySeconds, request.ttrSeconds) = try times
            if let text, text != "-" {
                request.body = text
            } else {
                let data = FileHandle.standardInput.readDataToEndOfFile()
                request.body = String(data: data, encoding: .utf8)
                if request.body == nil { request.bodyBase64 = data.base64EncodedString() }
            }
            let answer = try await listener.client().put(request)
            try printer.show(answer) { [Line("Job \(answer.id) is in \(Cells.clean(tube)).")] }
        }
    }
}
