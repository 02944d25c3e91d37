import AdminAPI
import QueueCore
import Testing

@testable import AdminServer

/// docs/operate.md, What needs somebody.
@Suite struct UrgencyTests {
    /// `taken`: How many jobs were taken within each of these times, in seconds.
    private func tube(
        ready: Int = 1, buried: Int = 0, pause: Int64 = 0, most: Int? = nil, taken: [Double: UInt64] = [:]
    ) -> TubeLine {
        var tube = TubeLine(name: TubeName("t")!)
        tube.jobs.ready = ready
        tube.jobs.buried = buried
        tube.pauseLeft = pause
        tube.maxReady = most
        if !taken.isEmpty {
            tube.waited.counts = Array(repeating: 0, count: DurationHistogram.bounds.count + 1)
            for (bound, count) in taken {
                tube.waited.counts[DurationHistogram.bounds.firstIndex(of: bound)!] = count
            }
        }
        return tube
    }

    @Test func theLimitFollowsWhatIsUsual() {
        #expect(Urgency.limit(tube()) == 300)
        #expect(Urgency.limit(tube(taken: [3600: 19])) == 300)
        #expect(Urgency.limit(tube(taken: [0.01: 1000])) == 60)
        #expect(Urgency.limit(tube(taken: [0.01: 100, 3600: 100])) == 10800)
        // A few that had to wait are not usual.
        #expect(Urgency.limit(tube(taken: [0.01: 1000, 3600: 10])) == 60)
    }

    @Test func alarms() {
        #expect(Urgency.alarm(tube(), age: 299) == nil)
        #expect(Urgency.alarm(tube(), age: 300) == .late)
        #expect(Urgency.alarm(tube(), age: nil) == nil)
        #expect(Urgency.alarm(tube(pause: 1), age: 3000) == nil)
        #expect(Urgency.alarm(tube(taken: [0.01: 100]), age: 60) == .late)
        #expect(Urgency.alarm(tube(taken: [3600: 100]), age: 3600) == nil)
        #expect(Urgency.alarm(tube(ready: 5, most: 5), age: 1) == .full)
        #expect(Urgency.alarm(tube(ready: 5, pause: 9, most: 5), age: 900) == .full)
        #expect(Urgency.alarm(tube(ready: 4, most: 5), age: 1) == nil)
    }

    @Test func whatIsWorstComesFirst() {
        func weight(_ tube: TubeLine, _ age: Double?, puts: Double = 0) -> Double {
            Urgency.weight(tube, Frame.Rate(puts: puts, deletes: 0), age: age)
        }
        let order = [
            weight(tube(ready: 5, most: 5), 1),
            weight(tube(taken: [0.01: 100]), 600),  // ten times its limit
            weight(tube(), 900),  // three times its limit
            weight(tube(buried: 9), 299),
            weight(tube(buried: 1), nil),
            weight(tube(), 290),
            weight(tube(ready: 10_000), 100, puts: 50),
            weight(tube(ready: 10_000), 100),
            weight(tube(ready: 10), 100),
            weight(tube(pause: 9), 5000),
        ]
        #expect(order == order.sorted(by: >))
        #expect(Set(order).count == order.count)
        // What differs little is equal, so that rows do not change places.
        #expect(weight(tube(ready: 100), 100) == weight(tube(ready: 110), 105, puts: 0.4))
    }
}
