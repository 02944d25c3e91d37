/// The connections of a run, on one thread.
final class Driver {
    private let poller: Poller
    private var connections: [Connection?] = []

    init() throws(LoadFailure) {
        poller = try Poller()
    }

    /// Connects a client and sends its commands from before the run.
    func connect(_ client: any Client, to address: Address) throws(LoadFailure) -> Connection {
        let connection = try Connection(client, to: address, poller, token: connections.count)
        connections.append(connection)
        try connection.prepare()
        return connection
    }

    /// Whether all connections can be closed without leaving a job or an answer behind.
    var isAtRest: Bool { connections.allSatisfy { $0?.client.isAtRest ?? true } }

    /// Waits, 10 s at most, until the server has answered the commands from before the run.
    func finishPreparing() throws(LoadFailure) {
        let end = monotonicTime() + 10_000_000_000
        while let waiting = connections.lazy.compactMap({ $0 }).first(where: { !$0.client.isPrepared }) {
            guard monotonicTime() < end else { throw LoadFailure("\(waiting.address) does not answer") }
            try step(until: end)
        }
    }

    func closeAll() {
        connections = []
    }

    /// Waits once, until `time` at the latest, and wakes the connections that are ready. One that fails is closed.
    func step(until time: Nanoseconds) throws(LoadFailure) {
        try poller.wait(until: time) { (token) throws(LoadFailure) in
            do throws(LoadFailure) {
                // A connection that was closed may still have been reported as ready.
                guard connections.indices.contains(token) else { return }
                try connections[token]?.wake()
            } catch {
                connections[token] = nil
                throw error
            }
        }
    }
}
