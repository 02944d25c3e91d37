import Logging
import Synchronization

/// Keeps what is logged, as `level message`.
struct LineLog: LogHandler {
    private final class Lines: Sendable {
        let all = Mutex<[String]>([])
    }

    private let lines = Lines()
    var logLevel = Logger.Level.trace
    var metadata = Logger.Metadata()

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    var said: [String] { lines.all.withLock { $0 } }

    func take() -> [String] {
        lines.all.withLock { lines in
            defer { lines = [] }
            return lines
        }
    }

    func log(event: LogEvent) { lines.all.withLock { $0.append("\(event.level) \(event.message)") } }
}
