import QueueCore
import Testing

@testable import PostgresStore

@Suite("A batch waits for returning clients")
struct PaceTests {
    @Test func aLoneClientNeverWaits() {
        var pace = Pace()
        for _ in 1...10 { pace.committed(1, in: .milliseconds(1), collected: 0) }
        #expect(pace.wanted == 1)
    }

    @Test func theNextBatchWaitsForAsManyOperations() {
        var pace = Pace()
        pace.committed(10, in: Span.microseconds(300), collected: 6)
        #expect(pace.wanted == 16)
        #expect(pace.patience == Span.microseconds(600))
    }

    @Test func theWaitIsAMillisecondAtMost() {
        var pace = Pace()
        pace.committed(10, in: .seconds(5), collected: 6)
        #expect(pace.patience == .milliseconds(1))
        pace.stopWaiting()
        #expect(pace.wanted == 1)
    }
}
