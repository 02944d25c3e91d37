/// The connections to a server, on one thread.
final class Driver {
    private let address: Address
    private let poller: Poller
    private var connections: [Connection?] = []

    init(_ address: Address) throws(LoadFailure) {
        self.address = address
        poller = try Poller()
    }

    /// Connects, and sends what comes before the run.
    func connect(_ client: any Client) throws(LoadFailure) -> Connection {
        let connection = try Connection(client, to: address, poller, token: connections.count)
        connections.append(connection)
        try connection.prepare()
        return connection
    }

    /// Whether each connection may be closed without leaving anything behind.
    var isAtRest: Bool { connections.allSatisfy { $0?.client.isAtRest ?? true } }

    /// Waits until the server has answered what comes before the run.
    func finishPreparing() throws(LoadFailure) {
        let end = monotonicTime() + 10_000_000_000
        while !connections.allSatisfy({ $0?.client.isPrepared ?? true }) {
            guard monotonicTime() < end else { throw LoadFailure("\(address) does not answer") }
            try step(until: end)
        }
    }

    func closeAll() {
        connections = []
    }

    /// Waits once, at most until the time, and serves what has come. A connection that fails is forgotten.
    func step(until time: Nanoseconds) throws(LoadFailure) {
        try poller.wait(until: time) { (token) throws(LoadFailure) in
            do throws(LoadFailure) {
                // One that was closed may still have been ready.
                guard connections.indices.contains(token) else { return }
                try connections[token]?.wake()
            } catch {
                connections[token] = nil
                throw error
            }
        }
    }
}
