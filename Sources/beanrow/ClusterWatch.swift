import EmbeddedPostgres
import Logging
import ServiceLifecycle

/// Starts the embedded PostgreSQL again when it has ended by itself; the broker's connections find it by themselves.
struct ClusterWatch: Service {
    let cluster: RunningCluster
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while true {
                // Cancelled: the end of the watch, and no error.
                guard (try? await Task.sleep(for: .milliseconds(500))) != nil else { return }
                do {
                    if try await onThread({ try cluster.restartIfEnded() }) {
                        logger.warning("the embedded PostgreSQL had ended by itself and was started again")
                    }
                } catch {
                    logger.error("the embedded PostgreSQL has ended and does not start: \(error)")
                }
            }
        }
    }
}
