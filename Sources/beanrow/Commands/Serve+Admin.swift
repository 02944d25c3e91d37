import AdminAPI
import AdminServer
import BeanrowServer
import LogKeys
import Logging
import PostgresStore
import QueueCore

/// The admin listener beside the broker.
extension Serve {
    /// Listens; `nil` if nothing is to be served over HTTP. The default address may be taken: another broker runs here.
    func openAdmin(_ server: BeanrowServer.Server, _ logger: Logger) async throws -> AdminListener? {
        guard var configuration = try http.configuration() else { return nil }
        configuration.version = beanrowVersion
        configuration.schema = database.schema
        configuration.maxJobSize = serverConfiguration.maxJobSize
        configuration.metrics = metrics.metrics
        do {
            let listener = try await AdminListener(configuration, broker: ServerView(server: server), logger: logger)
            logger.notice("the page and the API are here", metadata: [LogKey.http: "\(listener.url)"])
            return listener
        } catch let error as AdminError where http.given == nil {
            logger.warning(
                "goes on without the page, the API and metrics: \(error)")
            return nil
        }
    }
}

/// What the admin listener may ask of the server.
private struct ServerView: BrokerView {
    let server: BeanrowServer.Server

    func snapshot() -> QueueSnapshot { server.snapshot() }

    func outline() -> QueueOutline { server.outline() }

    var epoch: Int64 { server.epoch }

    func snapshot(of tube: TubeName) -> TubeSnapshot? { server.snapshot(of: tube) }

    func storeSnapshot() -> StoreSnapshot? { server.storeSnapshot() }

    func clients(limit: Int) async -> (clients: [ClientEntry], total: Int) {
        let (clients, total) = await server.clients(limit: limit)
        let entries = clients.map { client in
            ClientEntry(
                address: client.address, isProducer: client.state.isProducer, isWorker: client.state.isWorker,
                isWaiting: client.state.isWaiting, using: client.state.using.description,
                watching: client.state.watching.map(\.description),
                holds: client.state.holds.map { Int64(clamping: $0) },
                held: client.state.held, connectedSeconds: client.connectedSeconds, idleSeconds: client.idleSeconds)
        }
        return (entries, total)
    }

    func addresses(ofHoldersOf jobs: [JobID]) async -> [JobID: String] {
        await server.addresses(ofHoldersOf: jobs)
    }

    var database: StoreSummary? { server.database }
}
