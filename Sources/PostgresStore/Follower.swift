import Logging

/// A worker whose connection leads to the keeper's server, and that gives it up when the keeper has left that.
class Follower: Worker, @unchecked Sendable {
    private let server: CurrentServer
    private let statements: [Statement]
    private var term = 0

    init(
        _ name: String, _ statements: [Statement], _ configuration: StoreConfiguration,
        _ server: CurrentServer, _ logger: Logger
    ) {
        self.statements = statements
        self.server = server
        super.init(name, configuration, logger)
        server.add(follower: bell)
    }

    override final func open() throws -> Connection {
        let term = try awaitTerm()
        let connection = try Session.open(configuration, statements, at: term.address, last: session)
        guard try term.keeper.isHere(connection) else {
            throw StoreError.lost("this is not the server that the keeper is connected to")
        }
        self.term = term.number
        let isSilent = connection.isGivenUp
        connection.isGivenUp = { [server] seconds in
            !server.isCurrent(term.number) || isSilent?(seconds) ?? false
        }
        try prepare(connection)
        return connection
    }

    /// Brings a new connection into the mode that it works in.
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

    /// Notes that a batch has committed; throws when that does not count, since the keeper may be elsewhere by now.
    final func noteCommit(of batch: Int64, epoch: Int64, by writer: Int16) throws {
        guard server.commit(CurrentServer.Entry(epoch: epoch, batch: batch), by: writer, in: term) else {
            throw StoreError.lost("the keeper has connected anew")
        }
    }
}
