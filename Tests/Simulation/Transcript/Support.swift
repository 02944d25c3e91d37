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
        .put(NewJob(priority: priority, delay: delay, ttr: ttr, body: body(text)))
    }

    static func put(priority: UInt32, delay: UInt32, ttr: UInt32, body: Body) -> Command {
        .put(NewJob(priority: priority, delay: delay, ttr: ttr, body: body))
    }

    static func putUnique(_ key: String, _ text: String = "", delay: UInt32 = 0) -> Command {
        .putUnique(key: key, priority: 0, delay: delay, ttr: 60, body: body(text))
    }

    static func putUnique(key: String, priority: UInt32, delay: UInt32, ttr: UInt32, body: Body) -> Command {
        .putUnique(key: key, NewJob(priority: priority, delay: delay, ttr: ttr, body: body))
    }
}

extension Reply {
    static func reserved(_ id: JobID, _ text: String = "") -> Reply { .reserved(id, body(text)) }
    static func found(_ id: JobID, _ text: String = "") -> Reply { .found(id, body(text)) }

    var jobStats: JobStats? { if case .job(let stats) = self { stats } else { nil } }
    var tubeStats: TubeStats? { if case .tube(let stats) = self { stats } else { nil } }
    var brokerStats: BrokerStats? { if case .broker(let stats) = self { stats } else { nil } }
}
