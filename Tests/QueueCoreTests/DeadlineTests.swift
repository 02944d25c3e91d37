import Testing

@testable import QueueCore
@testable import Simulation

@Suite("deadlines")
struct DeadlineTests {
    let world = World()

    @Test func anExpiredJobGoesToTheNextInLine() {
        let (holder, waiter) = (world.connect(), world.connect())
        holder.sends(.put("a", ttr: 2), .reserve)
        waiter.sends(.reserve)
        world.advance(.milliseconds(1999))
        #expect(waiter.hears() == [])
        world.advance(.milliseconds(1))
        #expect(waiter.hears() == [.reserved(1, "a")])
        #expect(waiter.asks(.statsJob(1))?.jobStats?.counters == JobCounters(reserves: 2, timeouts: 1))
        #expect(waiter.asks(.stats)?.brokerStats?.jobTimeouts == 1)
        _ = holder.hears()
        holder.sends(.touch(1), .release(1, priority: 0, delay: 0), .bury(1, priority: 0), .delete(1))
        #expect(holder.hears() == [.notFound, .notFound, .notFound, .notFound])
    }

    @Test func anExpiredJobCanBeDeletedByItsOldHolder() {
        let holder = world.connect()
        holder.sends(.put("a", ttr: 1), .reserve)
        world.advance(.seconds(1))
        #expect(holder.asks(.delete(1)) == .deleted)
    }

    @Test func touchStartsTheTimeToRunAnew() {
        let holder = world.connect()
        holder.sends(.put("a", ttr: 3), .reserve)
        world.advance(.seconds(2))
        #expect(holder.asks(.touch(1)) == .touched)
        world.advance(.milliseconds(2999))
        #expect(holder.asks(.statsJob(1))?.jobStats?.state == .reserved)
        world.advance(.milliseconds(1))
        #expect(holder.asks(.statsJob(1))?.jobStats?.state == .ready)
    }

    @Test func aWaitingHolderIsWarnedASecondAhead() {
        let holder = world.connect()
        holder.sends(.put("a", ttr: 3), .reserve, .reserve)
        _ = holder.hears()
        world.advance(.milliseconds(1999))
        #expect(holder.hears() == [])
        world.advance(.milliseconds(1))
        #expect(holder.hears() == [.deadlineSoon])
    }

    @Test func closeToItsDeadlineAHolderIsWarnedAtOnce() {
        let holder = world.connect()
        holder.sends(.put("a", ttr: 1), .reserve, .reserve, .reserveWithTimeout(seconds: 0))
        #expect(holder.hears() == [.inserted(1), .reserved(1, "a"), .deadlineSoon, .deadlineSoon])
    }

    @Test func aReadyJobGoesBeforeTheWarning() {
        let holder = world.connect()
        holder.sends(.put("a", ttr: 1), .put("b"), .reserve, .reserve)
        #expect(holder.hears() == [.inserted(1), .inserted(2), .reserved(1, "a"), .reserved(2, "b")])
    }

    @Test func theWarningWaitsForTubesThatAreNotKnown() {
        world.connect(using: "t").sends(.put("b"))
        let holder = world.connect()
        holder.sends(.put("a", ttr: 1), .reserve)
        _ = holder.hears()
        world.queries = .taken
        holder.sends(.watch("t"), .reserve)
        #expect(holder.hears() == [.watching(2)])
        world.queries = .flowing
        #expect(holder.hears() == [.reserved(1, "b")])
    }

    @Test func theWarningBeatsTheTimeout() {
        let holder = world.connect()
        holder.sends(.put("a", ttr: 3), .reserve, .reserveWithTimeout(seconds: 2))
        world.advance(.seconds(2))
        #expect(holder.hears().last == .deadlineSoon)
    }

    /// As in beanstalkd, which ends delays before it ends waits.
    @Test func whoWaitsAsLongAsADelayLastsGetsTheJob() {
        let client = world.connect()
        client.sends(.put("a", delay: 1), .reserveWithTimeout(seconds: 1))
        world.advance(.seconds(1))
        #expect(client.hears() == [.inserted(1), .reserved(1, "a")])
    }

    /// After the broker's machine has hung, both times are over at once.
    @Test func whatBecameReadyBeforeAWaitEndedIsTheWaitersOwn() {
        let client = world.connect()
        client.sends(.put("a", delay: 1), .reserveWithTimeout(seconds: 2))
        world.jump(.seconds(2))
        world.advance(.milliseconds(1))
        #expect(client.hears() == [.inserted(1), .reserved(1, "a")])
    }

    /// A sweep that was asked for earlier does not know what has become ready since.
    @Test func whoseTimeIsUpDuringASweepWaitsForTheNextOne() {
        let (other, client) = (world.connect(using: "t"), world.connect())
        other.sends(.put("a", delay: 1))
        world.advance(.microseconds(500))
        client.sends(.put("b", delay: 1), .reserveWithTimeout(seconds: 1))
        world.advance(.microseconds(999_500))
        #expect(client.hears() == [.inserted(2)])
        world.queries = .done
        world.advance(.microseconds(1000))
        #expect(client.hears() == [])
        world.queries = .flowing
        world.advance(.milliseconds(10))
        #expect(client.hears() == [.reserved(2, "b")])
    }

    /// The database finds out when the next job is due some time before the broker hears of it.
    @Test func whoseTimeIsUpJustBeforeASweepWaitsForIt() {
        let (other, client) = (world.connect(using: "t"), world.connect())
        other.sends(.put("a", delay: 1))
        world.advance(.milliseconds(500))
        client.sends(.put("b", delay: 1), .reserveWithTimeout(seconds: 1))
        world.queries = .done
        world.advance(.milliseconds(505))
        world.queries = .flowing
        world.advance(.milliseconds(510))
        #expect(client.hears() == [.inserted(2), .reserved(2, "b")])
    }

    /// A client whose wait ends in a second, while a sweep that makes another job ready does not end.
    private func waiterDuringASweep() -> Client {
        let (other, waiter) = (world.connect(using: "t"), world.connect())
        other.sends(.put("a", delay: 1))
        waiter.sends(.put("b", delay: 100), .reserveWithTimeout(seconds: 1))
        world.queries = .taken
        return waiter
    }

    @Test func whoGetsNothingFromASweepIsToldWhenItIsDone() {
        let waiter = waiterDuringASweep()
        world.advance(.seconds(1))
        #expect(waiter.hears() == [.inserted(2)])
        world.queries = .flowing
        world.advance(.milliseconds(1))
        #expect(waiter.hears() == [.timedOut])
    }

    @Test func aSweepThatHangsKeepsNobodyWaitingForLong() {
        let waiter = waiterDuringASweep()
        world.advance(.milliseconds(1250))
        #expect(waiter.hears() == [.inserted(2), .timedOut])
    }

    @Test func aReservationIsToldToReadersAfterHalfASecond() {
        let holder = world.connect()
        holder.sends(.put("a", ttr: 10), .reserve)
        world.advance(.milliseconds(400))
        #expect(world.database.rows[1]?.reservedAt == nil)
        world.advance(.milliseconds(400))
        #expect(world.database.rows[1]?.reservedAt != nil)
        #expect(world.database.rows[1]?.counters.reserves == 1)
        holder.disconnects()
        #expect(world.database.rows[1]?.reservedAt == nil)
    }
}
