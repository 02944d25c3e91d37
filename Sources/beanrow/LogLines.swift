import LogKeys
import Logging

/// Where all log lines go: to standard error, each as one line of plain text.
///
/// Names and messages from outside are part of them: of tubes and transactions, of files, of the database. They cannot
/// begin a line of their own, nor command the terminal that shows them.
struct LogLines: TextOutputStream, Sendable {
    static func logger(_ level: Logger.Level) -> Logger {
        var logger = Logger(label: "beanrow") { StreamLogHandler(label: $0, stream: LogLines()) }
        logger.logLevel = level
        return logger
    }

    /// Called with each line as a whole, and its end.
    mutating func write(_ line: String) {
        let text = line.hasSuffix("\n") ? line.dropLast() : line[...]
        StandardError.write(PlainText.line(text) + "\n")
    }
}
