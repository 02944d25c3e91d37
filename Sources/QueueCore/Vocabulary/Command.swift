/// What a client asked for, decoded (protocol, section 1.2). Numbers are as sent: a `ttr` of 0 is raised by the core.
///
/// Lines that are no command are cases too, so that their replies keep their place among the others.
public enum Command: Hashable, Sendable {
    case put(NewJob)
    /// A put that is none if its tube has a job with this key: `put <pri> <delay> <ttr> <bytes> idp:<key>`. A key is
    /// written as a tube's name is.
    case putUnique(key: String, NewJob)
    /// A put whose announced size is over the limit; its body has been swallowed.
    case putTooBig
    /// A put whose body is not followed by CRLF; `bytes + 2` have been consumed.
    case putWithoutCRLF
    case use(TubeName)
    case reserve
    /// `nil`: as long as it takes.
    case reserveWithTimeout(seconds: UInt32?)
    case reserveJob(JobID)
    case delete(JobID)
    case release(JobID, priority: UInt32, delay: UInt32)
    case bury(JobID, priority: UInt32)
    case touch(JobID)
    case watch(TubeName)
    case ignore(TubeName)
    case peek(JobID)
    case peekReady
    case peekDelayed
    case peekBuried
    case kick(bound: UInt32)
    case kickJob(JobID)
    case statsJob(JobID)
    case statsTube(TubeName)
    case stats
    case listTubes
    case listTubeUsed
    case listTubesWatched
    case pauseTube(TubeName, seconds: UInt32)
    case quit
    /// A known command, wrongly written, or a line that is too long or holds a NUL: `BAD_FORMAT`.
    case malformed
    /// The same after all its numbers, when beanstalkd has counted it already.
    case malformedPut
    case malformedPauseTube
    /// Anything else: `UNKNOWN_COMMAND`.
    case unknown
}
