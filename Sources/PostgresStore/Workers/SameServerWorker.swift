import Logging

/// A worker whose connection leads to the same server as the keeper's. It gives its connection up when the keeper has
/// left that server.
class SameServerWorker: Worker, @unchecked Sendable {
    private let server: CurrentServer
    private let statements: [Statement]
    /// The number of the term in which the connection was made.
    private var term = 0

    init(
        _ name: String, _ statements: [Statement], _ configuration: StoreConfiguration,
        _ server: CurrentServer, _ logger: Logger
    ) {
        self.statements = statements
        self.server = server
        super.init(name, configuration, logger)
        server.add(worker: bell)
    }

    override final func open() throws -> Connection {
        let term = try awaitTerm()
        let connection = try Session.open(configuration, statements, at: term.address, last: session)
        guard try term.keeper.isOnServer(of: connection) else {
            throw StoreError.lost("this is not the server that the keeper is connected to")
        }
        self.term = term.number
        let isSilent = connection.shouldGiveUp
        connection.shouldGiveUp = { [server] seconds in
            !server.isCurrent(term.number) || isSilent?(seconds) ?? false
        }
        try prepare(connection)
        return connection
    }

    /// Puts a new connection into the mode that the worker uses.
    func prepare(_ connection: Connection) throws { try connection.enterPipeline() }

    private func awaitTerm() throws -> CurrentServer.Term {
        while !isStopping {
            if let term = server.term { return term }
            _ = bell.wait(milliseconds: 50)
        }
        throw StoreError.lost("stopped")
    }

    /// Throws when the keeper has left this connection's server, or may have.
    final func checkTerm() throws {
        guard server.isCurrent(term) else { throw StoreError.lost("the keeper has connected anew") }
    }

    /// Records that a batch has committed. Throws when the commit does not count, since the keeper may have changed to
    /// another server.
    final func noteCommit(of batch: Int64, epoch: Int64, by writer: Int16) throws {
        guard server.commit(CurrentServer.Entry(epoch: epoch, batch: batch), by: writer, in: term) else {
            throw StoreError.lost("the keeper has connected anew")
        }
    }
}
