/// One connection's part of a run, as a state machine: replies and the time come in, commands go out.
protocol Client: AnyObject {
    /// Appends the commands from before the run.
    func prepare(_ commands: inout ByteQueue)

    /// Whether the commands from before the run have been answered.
    var isPrepared: Bool { get }

    /// Whether the connection can be closed now: no answer is outstanding that would leave a job behind.
    var isAtRest: Bool { get }

    /// Appends the commands that are due at `now`. Called after the run has begun.
    func proceed(at now: Nanoseconds, _ commands: inout ByteQueue)

    /// Takes a reply and appends the commands that follow from it.
    /// - Throws: `LoadFailure` when the reply is wrong.
    func take(_ reply: Reply, at now: Nanoseconds, _ commands: inout ByteQueue) throws(LoadFailure)
}

/// A connection that sends nothing.
final class Idler: Client {
    let isPrepared = true
    let isAtRest = true

    func prepare(_ commands: inout ByteQueue) {}
    func proceed(at now: Nanoseconds, _ commands: inout ByteQueue) {}

    func take(_ reply: Reply, at now: Nanoseconds, _ commands: inout ByteQueue) throws(LoadFailure) {
        throw reply.unexpected(to: "nothing")
    }
}
