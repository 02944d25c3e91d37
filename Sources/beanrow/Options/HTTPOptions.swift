import AdminServer
import ArgumentParser
import MetricsExposition

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

    @Option(
        name: .customLong("metrics-tubes"),
        help: ArgumentHelp(
            "Metrics of single tubes are of those whose whole names match (default: all).", valueName: "regex"),
        transform: HTTPOptions.filter)
    var metricsTubes: TubeFilter?

    @Flag(
        name: .customLong("metrics-messagebird"),
        help: ArgumentHelp(
            "Name what beanstalkd also counts as messagebird/beanstalkd_exporter does, instead of as "
                + "davidtannock/beanstalkd_exporter."))
    var usesMessagebirdNames = false

    private static func filter(_ pattern: String) throws -> TubeFilter {
        do {
            return try TubeFilter(pattern)
        } catch {
            throw ValidationError("--metrics-tubes: '\(pattern)' is no regular expression: \(error)")
        }
    }

    func validate() throws {
        guard given == nil || !isOff else { throw ValidationError("--http and --no-http exclude each other.") }
    }

    /// `nil` without a listener.
    func configuration() throws -> AdminConfiguration? {
        guard !isOff else { return nil }
        var configuration = AdminConfiguration()
        if let given { configuration.address = given }
        configuration.metrics = Metrics(
            names: usesMessagebirdNames ? .messagebird : .davidtannock, tubes: metricsTubes)
        return configuration
    }
}

extension AdminConfiguration.Address: ExpressibleByArgument {
    init?(argument: String) { self.init(argument) }
}
