import ArgumentParser
import MetricsExposition

/// What `GET /metrics` tells.
struct MetricsOptions: ParsableArguments {
    @Option(
        name: .customLong("metrics-tubes"),
        help: ArgumentHelp(
            "Tell metrics only of the tubes whose whole names match (default: of all).", valueName: "regex"),
        transform: MetricsOptions.filter)
    var tubes: TubeFilter?

    @Flag(
        name: .customLong("metrics-messagebird"),
        help: ArgumentHelp(
            "Name what beanstalkd counts too as messagebird/beanstalkd_exporter does, and not as "
                + "davidtannock/beanstalkd_exporter."))
    var usesMessagebirdNames = false

    var metrics: Metrics { Metrics(names: usesMessagebirdNames ? .messagebird : .davidtannock, tubes: tubes) }

    private static func filter(_ pattern: String) throws -> TubeFilter {
        do {
            return try TubeFilter(pattern)
        } catch {
            throw ValidationError("it is no regular expression: \(error)")
        }
    }
}
