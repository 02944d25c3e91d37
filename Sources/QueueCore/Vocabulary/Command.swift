/// A command as a client sent it. Numbers are as sent.
///
/// Lines that are no command are cases too, so that their replies keep their place among the others.
public enum Command: Hashable, Sendable {
    case put(NewJob)
    /// A put that is skipped if its tube has a job with this key: `put <pri> <delay> <ttr> <bytes> idp:<key>`. A key
    /// follows the rules of a tube's name.
    case putUnique(key: String, NewJob)
    /// A put whose size is over the limit. Its body has been skipped.
    case putTooBig
    /// A put whose body is not followed by CRLF. `bytes + 2` bytes have been read.
    case putWithoutCRLF
    case use(TubeName)
    case reserve
    /// `nil`: without a time limit.
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
    /// A known command that is written wrongly, or a line that is too long or contains a NUL: `BAD_FORMAT`.
    case malformed
    /// A malformed command whose numbers are right: beanstalkd has counted it before it finds the mistake.
    case malformedPut
    case malformedPauseTube
    /// Any other line: `UNKNOWN_COMMAND`.
    case unknown
}
