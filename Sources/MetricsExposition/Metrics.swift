import QueueCore

/// Renders the facts of a broker as Prometheus's text format.
public struct Metrics: Sendable {
    /// Whose names the counts that beanstalkd also has are told by.
    public enum Names: Sendable {
        /// davidtannock/beanstalkd_exporter: `beanstalkd_current_jobs_ready_count`.
        case davidtannock
        /// messagebird/beanstalkd_exporter: `current_jobs_ready`.
        case messagebird
    }

    /// Of HTTP.
    public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    public let families: [MetricFamily]
    private let tubes: TubeFilter?

    /// - Parameters:
    ///   - names: Of the counts that beanstalkd also has.
    ///   - tubes: Which tubes get series of their own; nil: all.
    public init(names: Names = .davidtannock, tubes: TubeFilter? = nil) {
        families = Metrics.families(names: names)
        self.tubes = tubes
    }

    /// All families that a broker with these names tells, in the order of the text.
    public static func families(names: Names) -> [MetricFamily] {
        brokerFamilies + databaseFamilies + tubeFamilies
            + (names == .davidtannock ? davidtannockFamilies : messagebirdFamilies)
    }

    /// The text of a scrape.
    public func render(_ facts: MetricsFacts) -> [UInt8] {
        var facts = facts
        if let tubes { facts.queue.tubes = tubes.choose(facts.queue.tubes) }
        var renderer = Renderer(facts)
        for family in families where family.teller == .each || facts.tellsForAll {
            renderer.render(family)
        }
        return renderer.bytes
    }
}
