import LogKeys
import Logging

/// The destination of all log lines: standard error, each as one line of plain text.
///
/// Log lines hold text from outside: names of tubes and files, messages of the database. `PlainText` keeps that text
/// from beginning a line of its own and from controlling the terminal.
struct LogLines: TextOutputStream, Sendable {
    static func logger(_ level: Logger.Level) -> Logger {
        var logger = Logger(label: "beanrow") { StreamLogHandler(label: $0, stream: LogLines()) }
        logger.logLevel = level
        return logger
    }

    /// Called with one whole line and its line break.
    mutating func write(_ line: String) {
        let text = line.hasSuffix("\n") ? line.dropLast() : line[...]
        StandardError.write(PlainText.line(text) + "\n")
    }
}
