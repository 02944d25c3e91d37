import Testing

@testable import PostgresStore
@testable import QueueCore

@Suite("A broker is dead when its heartbeat counter stands still by this broker's clock")
struct FailureDetectorTests {
    private var detector = FailureDetector()

    /// Milliseconds after the start.
    private func at(_ milliseconds: Int) -> Instant { Instant(nanoseconds: 0) + .milliseconds(milliseconds) }

    /// The answer comes 5 ms after the question.
    private mutating func silent(_ beats: [Int64: Int64], at time: Int) -> [Int64] {
        detector.silent(among: beats, asked: at(time), now: at(time + 5))
    }

    @Test mutating func aBrokerThatIsSilentForTooLongIsDead() {
        #expect(silent([1: 7, 2: 7], at: 0) == [])
        #expect(silent([1: 7, 2: 8], at: 1000) == [])
        #expect(silent([1: 7, 2: 9], at: 3504) == [])
        #expect(detector.nextDeath(after: at(3504)) == at(3505), "counted from the first answer")
        #expect(silent([1: 7, 2: 9], at: 3505) == [1])
        #expect(silent([1: 8, 2: 9], at: 3600) == [], "a late heartbeat counts")
        #expect(silent([1: 8, 2: 9], at: 7100) == [2])
        #expect(silent([1: 8], at: 7105) == [1])
        #expect(silent([1: 8, 2: 9], at: 7200) == [1], "the watch of a broker that comes back begins again")
    }

    @Test mutating func aSmallerNumberIsAHeartbeatToo() {
        #expect(silent([1: 7], at: 0) == [])
        #expect(silent([1: 6], at: 3600) == [])
        #expect(silent([1: 6], at: 7200) == [1])
    }

    @Test mutating func afterALostConnectionTheWatchBeginsAgain() {
        #expect(silent([1: 7], at: 0) == [])
        detector.connectionWasLost()
        #expect(detector.nextDeath(after: at(0)) == nil)
        #expect(silent([1: 7], at: 60_000) == [])
        #expect(silent([1: 7], at: 63_000) == [])
        #expect(silent([1: 7], at: 63_600) == [1])
    }

    /// Whatever delayed this broker's heartbeat may have delayed the others too.
    @Test mutating func afterALateHeartbeatOfItsOwnTheOthersGetMoreTime() {
        #expect(silent([1: 7], at: 0) == [])
        detector.heartbeatCommitted(at: at(11_000), last: at(1000))
        #expect(silent([1: 7], at: 11_000) == [])
        #expect(detector.nextDeath(after: at(11_000)) == at(12_500))
        #expect(silent([1: 7], at: 12_500) == [1])
        // A second late heartbeat in a row gives no more time.
        detector.heartbeatCommitted(at: at(14_000), last: at(11_500))
        #expect(silent([1: 7], at: 14_000) == [1])
    }
}

@Suite("Steps of the database's clock are found by this broker's clock")
struct ClockWatchTests {
    private var watch = ClockWatch()

    /// In seconds after the start: what the database's clock showed, when it was asked, and when the answer came.
    private mutating func saw(_ clock: Double, asked: Double, now: Double) -> Int64 {
        watch.saw(
            1_800_000_000_000_000 + Int64(clock * 1e6), asked: Instant(nanoseconds: Int64(asked * 1e9)),
            now: Instant(nanoseconds: Int64(now * 1e9)))
    }

    @Test mutating func stepsForwardAndBackAreFound() {
        #expect(saw(0, asked: 0, now: 0.01) == 0, "there is nothing to compare the first answer with")
        #expect(saw(1, asked: 1, now: 1.01) == 0)
        #expect(saw(3602, asked: 2, now: 2.01) == 3599, "the smallest step that explains the answers")
        #expect(saw(3603, asked: 3, now: 3.01) == 0)
        #expect(saw(4, asked: 4, now: 4.01) == -3599)
    }

    @Test mutating func aSlowAnswerIsNoStep() {
        #expect(saw(0, asked: 0, now: 0.01) == 0)
        #expect(saw(6, asked: 1, now: 6) == 0)
        #expect(saw(7, asked: 7, now: 7.01) == 0)
        #expect(saw(8.9, asked: 8, now: 8.01) == 0, "a step of less than a second is ignored")
    }

    @Test mutating func theClocksOfTwoServersAreNotCompared() {
        #expect(saw(0, asked: 0, now: 0.01) == 0)
        watch.forget()
        #expect(saw(500, asked: 1, now: 1.01) == 0)
    }
}
