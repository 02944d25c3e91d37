import Testing

@testable import LoadGenerator

@Suite struct ScheduleTests {
    @Test func withoutARateAllAreDue() {
        var schedule = Schedule(jobs: 2, rate: nil, start: 5)
        #expect(schedule.nextTime == nil)
        #expect(schedule.next(at: 7)! == (0, 7))
        #expect(schedule.next(at: 8)! == (1, 8))
        #expect(schedule.next(at: 9) == nil)
    }

    @Test func withARateEachHasItsTime() {
        var schedule = Schedule(jobs: 3, rate: 1e8, start: 100)
        #expect(schedule.next(at: 99) == nil)
        #expect(schedule.nextTime == 100)
        #expect(schedule.next(at: 100)! == (0, 100))
        #expect(schedule.next(at: 109) == nil)
        #expect(schedule.next(at: 500)! == (1, 110))
        #expect(schedule.nextTime == 120)
        schedule.close()
        #expect(schedule.nextTime == nil)
        #expect(schedule.next(at: 500) == nil)
        #expect(schedule.sent == 2)
    }
}
