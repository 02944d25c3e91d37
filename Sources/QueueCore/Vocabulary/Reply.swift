/// The answer to a command.
public enum Reply: Hashable, Sendable {
    case inserted(JobID)
    /// The tube has a job with the key of the put: this one, in this state.
    case insertedBefore(JobID, JobState)
    case using(TubeName)
    case reserved(JobID, Body)
    case found(JobID, Body)
    case watching(Int)
    case kicked(Int)
    case kickedJob
    case deleted
    case released
    case buried
    case touched
    case paused
    case timedOut
    case deadlineSoon
    case notFound
    case notIgnored
    case jobTooBig
    case expectedCRLF
    case draining
    case outOfMemory
    case internalError
    case badFormat
    case unknownCommand
    case tubes([TubeName])
    // Boxed: a reply is copied on its way, and these are many times larger than the others.
    indirect case job(JobStats)
    indirect case tube(TubeStats)
    indirect case broker(BrokerStats)

    /// Bytes on the wire, about.
    var size: Int {
        switch self {
        case .reserved(_, let body), .found(_, let body): 64 + body.count
        case .tubes(let names): names.reduce(64) { $0 + 3 + $1.description.utf8.count }
        case .job, .tube, .broker: 1024
        default: 16
        }
    }
}

/// The state of a job, in the protocol's words (beanstalkd's doc/protocol.txt, Job Lifecycle).
public enum JobState: String, Hashable, Sendable {
    case ready, delayed, reserved, buried
}
