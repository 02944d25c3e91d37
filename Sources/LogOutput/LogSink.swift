import Dispatch
import Foundation
import Logging
import Synchronization

/// Where all handlers of a process write their records: in one format, with repetitions summed up.
public final class LogSink: Sendable {
    private let format: LogFormat
    private let write: @Sendable (String) -> Void
    private let date: @Sendable () -> Date
    private let uptime: @Sendable () -> Duration
    private let repetitions = Mutex(Repetitions())
    private let timer: @Sendable (Duration, @escaping @Sendable () -> Void) -> Void

    /// `write`: Called with one whole line and its line break, by one thread at a time.
    public convenience init(_ format: LogFormat, write: @escaping @Sendable (String) -> Void) {
        let start = ContinuousClock.now
        self.init(
            format, write: write, date: { Date() }, uptime: { ContinuousClock.now - start },
            timer: { delay, body in
                let milliseconds = Int(delay / .milliseconds(1)) + 1
                DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(milliseconds), execute: body)
            })
    }

    init(
        _ format: LogFormat, write: @escaping @Sendable (String) -> Void, date: @escaping @Sendable () -> Date,
        uptime: @escaping @Sendable () -> Duration,
        timer: @escaping @Sendable (Duration, @escaping @Sendable () -> Void) -> Void
    ) {
        self.format = format
        self.write = write
        self.date = date
        self.uptime = uptime
        self.timer = timer
    }

    var now: Date { date() }

    /// Writes the record, or counts it. Records below the level `info` are always written: who asks for them wants all.
    func take(_ record: LogRecord) {
        guard record.level >= .info else { return repetitions.withLock { _ in emit(record) } }
        let wait = repetitions.withLock { repetitions -> Duration? in
            let now = uptime()
            sumUp(&repetitions, now: now)
            let (isWritten, isFirstCounted) = repetitions.admit(record, now: now)
            if isWritten { emit(record) }
            return isFirstCounted ? repetitions.wait(now: now) : nil
        }
        if let wait { timer(wait) { [self] in sumUpInTime() } }
    }

    /// Writes what has been counted so far. To be called before the process ends.
    public func flush() {
        repetitions.withLock { sumUp(&$0, now: uptime(), all: true) }
    }

    private func sumUpInTime() {
        let wait = repetitions.withLock { repetitions -> Duration? in
            let now = uptime()
            sumUp(&repetitions, now: now)
            return repetitions.wait(now: now)
        }
        // One timer for each first repetition is enough; this one was early only if its clock was.
        if let wait, wait < .milliseconds(50) { timer(wait) { [self] in sumUpInTime() } }
    }

    private func sumUp(_ repetitions: inout Repetitions, now: Duration, all: Bool = false) {
        for summary in repetitions.due(now: now, all: all) {
            var record = summary.record
            record.time = date()
            record.message += " (and \(summary.count) more in \(summary.seconds) s)"
            record.metadata["repeated"] = "\(summary.count)"
            emit(record)
        }
    }

    private func emit(_ record: LogRecord) {
        write(format.line(record) + "\n")
    }
}
