import AdminServer
import ArgumentParser

/// The admin listener: health, metrics, the API and the page.
struct HTTPOptions: ParsableArguments {
    @Option(
        name: .customLong("http"),
        help: ArgumentHelp(
            "Serve the page, the API and metrics over HTTP on this address, or on unix:PATH (default: 127.0.0.1:11380, "
                + "if it is free). Port 0 takes a free one.", valueName: "addr:port"))
    var given: AdminConfiguration.Address?

    @Flag(name: .customLong("no-http"), help: "Serve nothing over HTTP.")
    var isOff = false

    func validate() throws {
        guard given == nil || !isOff else { throw ValidationError("--http and --no-http exclude each other.") }
    }

    /// `nil` without a listener.
    func configuration() throws -> AdminConfiguration? {
        guard !isOff else { return nil }
        var configuration = AdminConfiguration()
        if let given { configuration.address = given }
        return configuration
    }
}

extension AdminConfiguration.Address: ExpressibleByArgument {
    init?(argument: String) { self.init(argument) }
}
