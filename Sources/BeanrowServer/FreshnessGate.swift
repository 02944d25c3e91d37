import QueueCore

/// Holds back a command that shows what other clients have done until every loop has been polled after the command
/// arrived (docs/ARCHITECTURE.md, Threads). A client that left earlier is then not counted.
struct FreshnessGate {
    /// The number of waiting commands that arrived before the last poll of all loops began.
    private var freshCommands = 0
    private var pollIsWanted = false
    private var pollIsRunning = false
    /// The number of waiting commands when the running poll began.
    private var waitingAtPoll = 0

    /// Whether the first of the waiting commands may go to the queue. If not, a poll is wanted.
    mutating func admits(_ command: Command) -> Bool {
        guard command.showsOtherClients, freshCommands == 0 else { return true }
        pollIsWanted = true
        return false
    }

    /// The first of the waiting commands went to the queue.
    mutating func commandLeft() {
        if freshCommands > 0 { freshCommands -= 1 }
    }

    /// Begins a poll if one is wanted and none is running.
    /// - Parameter waiting: The number of commands that wait now.
    /// - Returns: Whether the caller has to start it.
    mutating func startsPoll(waiting: Int) -> Bool {
        defer { pollIsWanted = false }
        guard pollIsWanted, !pollIsRunning else { return false }
        pollIsRunning = true
        waitingAtPoll = waiting
        return true
    }

    mutating func pollFinished() {
        pollIsRunning = false
        freshCommands = waitingAtPoll
    }
}

extension Command {
    /// Whether the reply shows what other clients have done. Only commands that are rare are in this list: each of them
    /// costs a poll of every loop.
    fileprivate var showsOtherClients: Bool {
        switch self {
        case .stats, .statsTube, .statsJob, .listTubes: true
        default: false
        }
    }
}
