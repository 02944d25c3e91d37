public import QueueCore

extension TubeName: ExpressibleByStringLiteral {
    public init(stringLiteral name: String) { self.init(unchecked: name) }
}

/// A body that is easy to read in a transcript.
func body(_ text: String) -> Body { Array(text.utf8) }

extension Command {
    static func put(
        _ text: String = "", priority: UInt32 = 0, delay: UInt32 = 0, ttr: UInt32 = 60
    ) -> Command {
        .put(priority: priority, delay: delay, ttr: ttr, body: body(text))
    }
}

extension Reply {
    static func reserved(_ id: JobID, _ text: String = "") -> Reply { .reserved(id, body(text)) }
    static func found(_ id: JobID, _ text: String = "") -> Reply { .found(id, body(text)) }

    var jobStats: JobStats? { if case .job(let stats) = self { stats } else { nil } }
    var tubeStats: TubeStats? { if case .tube(let stats) = self { stats } else { nil } }
    var brokerStats: BrokerStats? { if case .broker(let stats) = self { stats } else { nil } }
}

/// Random numbers that a printed seed brings back.
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
