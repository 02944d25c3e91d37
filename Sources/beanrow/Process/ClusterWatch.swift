import EmbeddedPostgres
import Logging
import ServiceLifecycle

/// Restarts the embedded PostgreSQL when it has ended by itself. The broker's sessions reconnect on their own.
struct ClusterWatch: Service {
    let cluster: RunningCluster
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            // A failure that repeats is logged once.
            var lastFailure = ""
            while true {
                // Cancellation ends the watch; it is not an error.
                guard (try? await Task.sleep(for: .milliseconds(500))) != nil else { return }
                do {
                    if try await restartIfEnded() {
                        logger.warning("the embedded PostgreSQL had ended by itself and was started again")
                        lastFailure = ""
                    }
                } catch EmbeddedPostgresError.cancelled {
                    return
                } catch  where "\(error)" != lastFailure {
                    logger.error("the embedded PostgreSQL has ended and does not start, trying again: \(error)")
                    lastFailure = "\(error)"
                } catch {}
            }
        }
    }

    /// A restart may take minutes, so cancellation ends it.
    private func restartIfEnded() async throws -> Bool {
        try await withTaskCancellationHandler {
            try await onThread { try cluster.restartIfEnded() }
        } onCancel: {
            cluster.cancelRestart()
        }
    }
}
