/// One connection's part of a run, as a state machine: replies come in, commands go out, and it is told the time.
protocol Client: AnyObject {
    /// Appends the commands that come before the run.
    func prepare(_ commands: inout ByteQueue)

    /// Whether those have been answered.
    var isPrepared: Bool { get }

    /// Whether it waits for nothing that must not be left behind.
    var isAtRest: Bool { get }

    /// Appends what it does by itself by now, once the run has begun.
    func proceed(at now: Nanoseconds, _ commands: inout ByteQueue)

    /// Takes a reply and appends what follows from it; fails when the server is wrong.
    func take(_ reply: Reply, at now: Nanoseconds, _ commands: inout ByteQueue) throws(LoadFailure)
}

/// A connection that stays silent.
final class Idler: Client {
    let isPrepared = true
    let isAtRest = true

    func prepare(_ commands: inout ByteQueue) {}
    func proceed(at now: Nanoseconds, _ commands: inout ByteQueue) {}

    func take(_ reply: Reply, at now: Nanoseconds, _ commands: inout ByteQueue) throws(LoadFailure) {
        throw reply.unexpected(to: "nothing")
    }
}
