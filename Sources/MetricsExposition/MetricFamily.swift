import QueueCore

/// A family of metrics: a name, and how its samples come from the facts.
public struct MetricFamily: Sendable {
    /// What Prometheus is told as the type. `untyped` is for names of others that end like a counter or a part of a
    /// histogram and are neither.
    public enum Kind: String, Sendable { case counter, gauge, histogram, untyped }

    /// Which broker has samples of it.
    public enum Teller: String, Sendable {
        /// Each: it is about the broker itself, or counts what the broker has done.
        case each
        /// One broker of the queue, since it is about the whole queue.
        case one
    }

    public let name: String
    public let kind: Kind
    /// The names of the labels.
    public let labels: [String]
    public let teller: Teller
    /// A sentence without a line end.
    public let help: String
    let samples: Samples

    /// Where the samples come from.
    enum Samples: Sendable {
        /// One sample; none for nil.
        case value(@Sendable (MetricsFacts) -> Number?)
        /// Samples by the values of the labels.
        case labelled(@Sendable (MetricsFacts) -> [(labels: [String], value: Number)])
        case histograms(@Sendable (MetricsFacts) -> [(label: String, histogram: Histogram)])
        /// A sample for each tube; none for nil.
        case tube(@Sendable (TubeSnapshot) -> Number?)
        /// A sample for each tube and state.
        case tubeStates
        /// A sample for each tube and role of its clients; none for a role that nobody has.
        case tubeClients
        case tubeAges
        /// A histogram for each tube; none for one that has counted nothing.
        case tubeHistogram(@Sendable (TubeActivity) -> DurationHistogram)
    }

    init(
        _ name: String, _ kind: Kind, labels: [String], toldBy teller: Teller = .each, help: String, _ samples: Samples
    ) {
        self.name = name
        self.kind = kind
        self.labels = labels
        self.teller = teller
        self.help = help
        self.samples = samples
    }

    /// A family with one sample.
    static func value(
        _ name: String, _ kind: Kind, toldBy teller: Teller = .each, help: String,
        _ value: @escaping @Sendable (MetricsFacts) -> Number?
    ) -> MetricFamily {
        MetricFamily(name, kind, labels: [], toldBy: teller, help: help, .value(value))
    }

    /// A family with a sample for each tube.
    static func tube(
        _ name: String, _ kind: Kind, toldBy teller: Teller, help: String,
        _ value: @escaping @Sendable (TubeSnapshot) -> Number?
    ) -> MetricFamily {
        MetricFamily(name, kind, labels: ["tube"], toldBy: teller, help: help, .tube(value))
    }
}

/// The value of a sample.
enum Number: Sendable {
    case integer(Int)
    case counter(UInt64)
    case real(Double)

    init(_ value: Int) { self = .integer(value) }
    init(_ value: Int64) { self = .integer(Int(value)) }
    init(_ value: UInt64) { self = .counter(value) }
    init(_ value: Double) { self = .real(value) }
    init(_ value: Bool) { self = .integer(value ? 1 : 0) }
}
