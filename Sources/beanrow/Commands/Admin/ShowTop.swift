import AdminAPI
import AdminClient
import ArgumentParser
import LogKeys
import Terminal

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

struct ShowTop: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top",
        abstract: "Watch and steer a queue on the terminal.",
        discussion: """
            The address is that of a broker's HTTP listener, or of any server that speaks beanstalkd's protocol, which \
            tells counts only: beanstalkd://HOST:PORT. Without a scheme, HTTP is tried first. Keys: see `?` there.
            """)

    @Argument(
        help: ArgumentHelp(
            "HOST:PORT, http://HOST:PORT/PATH, unix:PATH or beanstalkd://HOST:PORT (default: that of --http).",
            valueName: "address"))
    var address: String?

    @Flag(help: "Print all tubes once, and end.")
    var once = false

    @Flag(help: "Print JSON: an object with overview and tubes, on a line, at each refresh.")
    var json = false

    @Flag(help: "Refuse all keys that change something.")
    var readOnly = false

    @Option(help: ArgumentHelp("Time between two refreshes.", valueName: "seconds"))
    var interval = 1.0

    @OptionGroup var listener: ListenerOptions

    func validate() throws {
        guard (0.1...3600).contains(interval) else { throw ValidationError("--interval takes 0.1 to 3600 seconds.") }
        guard let address else { return }
        guard AdminAddress(address) != nil || ProtocolAddress(address) != nil else {
            throw ValidationError(
                "\(address) is no address: HOST:PORT, http://HOST:PORT, unix:PATH or beanstalkd://HOST:PORT.")
        }
    }

    func run() async throws {
        do {
            let (source, options) = try await open()
            if json {
                try await printJSON(source)
            } else if once {
                try await printOnce(source, options)
            } else {
                guard Session.isInteractive else {
                    throw Trouble("Standard input or output is no terminal; --once prints without one.")
                }
                let ansi = Ansi(hasColours: Printer.hasColours, charset: options.charset)
                if let signal = try await Session(options, source: source, ansi: ansi).run() {
                    throw Failure(signalStatus: 128 + signal)
                }
            }
        } catch let trouble as Trouble {
            StandardError.say("beanrow top: \(trouble.sentence)")
            throw Failure(status: .failure)
        }
    }

    /// The source of the address. Without a scheme it is whichever answers; HTTP is asked first.
    private func open() async throws -> (any QueueSource, Top.Options) {
        var options = Top.Options()
        options.isReadOnly = readOnly
        options.charset = Printer.charset
        options.interval = interval
        let given = address ?? listener.address
        options.address = given
        if ProtocolAddress.isMeant(given), let found = ProtocolAddress(given) {
            options.hasCountsOnly = true
            return (ProtocolSource(found), options)
        }
        let client = try listener.client(at: AdminAddress(given), timeout: 10)
        let source = APISource(client)
        guard !given.hasPrefix("http"), let other = ProtocolAddress(given) else { return (source, options) }
        do {
            _ = try await client.overview()
        } catch let failure as ClientFailure {
            if case .refused = failure { return (source, options) }
            let counts = ProtocolSource(other)
            guard (try? await counts.load(.tubes(filter: nil, sort: "name"))) != nil else { return (source, options) }
            options.hasCountsOnly = true
            return (counts, options)
        }
        return (source, options)
    }

    private static let all = Request.tubes(filter: nil, sort: "name")

    private func printOnce(_ source: any QueueSource, _ options: Top.Options) async throws {
        if options.hasCountsOnly {
            // Rates are the difference of two answers.
            _ = try await source.load(Self.all)
            try await Task.sleep(for: .seconds(interval))
        }
        var top = Top(options, size: Size(width: max(60, Printer.width ?? 100), height: 1000))
        let answer = try await source.load(top.firstRequest)
        _ = top.handle(.answer(top.firstRequest, .success(answer)))
        let ansi = Printer.ansi
        print(top.snapshot.map { ansi.text($0) }.joined(separator: "\n"))
    }

    private struct Sample: Encodable {
        let overview: Overview
        let tubes: [TubeSummary]
    }

    private func printJSON(_ source: any QueueSource) async throws {
        while true {
            let answer = try await source.load(Self.all)
            if case .tubes(let page) = answer.content {
                let sample = Sample(overview: answer.overview, tubes: page.tubes)
                try Printer.say(sample)
            }
            if once { return }
            try await Task.sleep(for: .seconds(interval))
        }
    }
}
