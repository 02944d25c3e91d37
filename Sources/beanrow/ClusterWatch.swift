import EmbeddedPostgres
import Logging
import ServiceLifecycle

/// Starts the embedded PostgreSQL again when it has ended by itself; the broker's connections find it by themselves.
struct ClusterWatch: Service {
    let cluster: RunningCluster
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            // What is said of a failure once is not said again with each try.
            var said = ""
            while true {
                // Cancelled: the end of the watch, and no error.
                guard (try? await Task.sleep(for: .milliseconds(500))) != nil else { return }
                do {
                    if try await restartIfEnded() {
                        logger.warning("the embedded PostgreSQL had ended by itself and was started again")
                        said = ""
                    }
                } catch EmbeddedPostgresError.cancelled {
                    return
                } catch  where "\(error)" != said {
                    logger.error("the embedded PostgreSQL has ended and does not start, trying again: \(error)")
                    said = "\(error)"
                } catch {}
            }
        }
    }

    /// It may take minutes, which an end does not wait for.
    private func restartIfEnded() async throws -> Bool {
        try await withTaskCancellationHandler {
            try await onThread { try cluster.restartIfEnded() }
        } onCancel: {
            cluster.cancelRestart()
        }
    }
}
