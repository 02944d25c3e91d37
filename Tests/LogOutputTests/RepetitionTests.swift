import Foundation
import Logging
import Synchronization
import Testing

@testable import LogOutput

/// What is repeated is summed up. The test sets the clock.
@Suite("Log repetitions") struct RepetitionTests {
    /// A sink with a clock, and what it has written.
    private final class Bench: Sendable {
        private struct State {
            var uptime = Duration.zero
            var lines: [String] = []
            var timers: [(at: Duration, body: @Sendable () -> Void)] = []
        }

        private let state = Mutex(State())

        func logger(_ format: LogFormat = .logfmt) -> (Logger, LogSink) {
            let sink = LogSink(
                format,
                write: { [self] line in
                    let message = line.split(separator: "message=")[1].split(separator: " source=")
                    let metadata = message[1].dropFirst("LogOutputTests".count).trimmingCharacters(in: .newlines)
                    state.withLock { $0.lines.append(message[0].filter { $0 != "\"" } + metadata) }
                },
                date: { Date(timeIntervalSince1970: 0) }, uptime: { [self] in state.withLock { $0.uptime } },
                timer: { [self] delay, body in state.withLock { $0.timers.append(($0.uptime + delay, body)) } })
            return (Logger(label: "test") { _ in RecordLogHandler(sink) }, sink)
        }

        var lines: [String] {
            state.withLock { state in
                defer { state.lines = [] }
                return state.lines
            }
        }

        func wait(_ seconds: Double) {
            let due = state.withLock { state in
                state.uptime += .seconds(seconds)
                let now = state.uptime
                defer { state.timers.removeAll { $0.at <= now } }
                return state.timers.filter { $0.at <= now }
            }
            for timer in due { timer.body() }
        }
    }

    @Test func equalRecordsAreCounted() {
        let bench = Bench()
        let (logger, _) = bench.logger()
        for _ in 0..<215 { logger.error("lost") }
        logger.error("other")
        logger.warning("lost")
        #expect(bench.lines == ["lost", "other", "lost"], "another level or message is another line")
        bench.wait(9)
        #expect(bench.lines == [])
        bench.wait(1)
        #expect(bench.lines == ["lost (and 214 more in 10 s) repeated=214"], "without another record")
        logger.error("lost")
        #expect(bench.lines == ["lost"], "a new span begins")
    }

    @Test func whatComesOnceIsNotSummedUp() {
        let bench = Bench()
        let (logger, sink) = bench.logger()
        logger.info("serving")
        bench.wait(20)
        sink.flush()
        #expect(bench.lines == ["serving"])
    }

    @Test func otherMetadataIsWrittenAFewTimes() {
        let bench = Bench()
        let (logger, _) = bench.logger()
        for number in 1...9 { logger.info("dead", metadata: ["epoch": "\(number)"]) }
        for _ in 1...3 { logger.info("dead", metadata: ["epoch": "2"]) }
        #expect(bench.lines == (1...5).map { "dead epoch=\($0)" })
        bench.wait(10)
        #expect(bench.lines == ["dead (and 7 more in 10 s) epoch=6 repeated=7"])
    }

    @Test func debugIsWrittenWhole() {
        let bench = Bench()
        var (logger, _) = bench.logger()
        logger.logLevel = .trace
        for _ in 1...3 { logger.debug("step") }
        #expect(bench.lines == ["step", "step", "step"])
    }

    @Test func theEndOfTheProcessEndsTheCount() {
        let bench = Bench()
        let (logger, sink) = bench.logger()
        for _ in 1...3 { logger.info("again") }
        bench.wait(2)
        sink.flush()
        #expect(bench.lines == ["again", "again (and 2 more in 2 s) repeated=2"])
        sink.flush()
        #expect(bench.lines == [])
    }

    @Test func memoryIsBounded() {
        let bench = Bench()
        let (logger, _) = bench.logger()
        for number in 0..<(2 * Repetitions.messages) { logger.info("message \(number)") }
        #expect(bench.lines.count == 2 * Repetitions.messages)
    }
}
