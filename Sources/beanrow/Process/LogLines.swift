import LogKeys
import LogOutput
import Logging

/// The destination of all log records: standard error, a line each.
enum LogLines {
    /// - Returns: The logger, and what must be flushed before the process ends.
    static func logger(_ level: Logger.Level, as format: LogFormat = .text) -> (Logger, LogSink) {
        let sink = LogSink(format) { StandardError.write($0) }
        var logger = Logger(label: "beanrow") { _ in RecordLogHandler(sink) }
        logger.logLevel = level
        return (logger, sink)
    }
}
