import Testing

@testable import QueueCore
@testable import Simulation

/// SQL sessions beside a broker: what they have changed, and the leases that they recall.
@Suite("SQL sessions")
struct SQLSessionTests {
    let world = World()

    private func recallLeases() {
        world.database.sql.recall += 1
        let recall = world.database.sql.recall
        world.act { $0.leasesRecalled(recall, now: $1) }
        world.settle()
    }

    private var hasAnswered: Bool { world.database.haveAnswered(world.database.sql.recall) }

    @Test func aRecallKeepsWhatItsClientsHoldAndNothingElse() {
        world.connect().sends(.put("held"), .put("cached"))
        let worker = world.connect()
        #expect(worker.asks(.reserve) == .reserved(1, "held"))
        #expect(world.database.sole == 1)
        recallLeases()
        #expect(hasAnswered)
        #expect(world.database.sole == nil)
        #expect(world.database.rows[1].map { world.database.holder(of: $0) } == .client)
        #expect(world.database.rows[2].map { world.database.holder(of: $0) } == .nobody)
    }

    @Test func itAnswersWhenThatHasCommittedAndNotBefore() {
        world.connect().sends(.put("a"))
        world.connect().sends(.reserve)
        world.writes = .taken
        recallLeases()
        #expect(!hasAnswered)
        world.writes = .flowing
        #expect(hasAnswered)
    }

    @Test func aRefusedAnswerIsGivenAgain() {
        world.writeRefusal = .failed
        world.writes = .done
        recallLeases()
        world.writeRefusal = nil
        world.writes = .flowing
        #expect(hasAnswered)
    }

    @Test func aMomentLaterReservationsAreWrittenDownAtOnce() {
        let worker = world.connect()
        worker.sends(.reserve)
        recallLeases()
        world.connect().sends(.put("a"))
        #expect(worker.hears() == [.reserved(1, "a")])
        #expect(world.database.rows[1].map { world.database.isReserved($0) } == true)
    }

    @Test func aBrokerThatSharesIsAloneAgainAfterHalfAMinute() {
        recallLeases()
        world.advance(.seconds(25))
        #expect(world.database.sole == nil)
        world.advance(.seconds(10))
        #expect(world.database.sole == 1)
    }

    /// The database makes this broker the sole one, and then a session comes. The broker hears of the session first.
    private func recallWhileItBecomesTheSoleOne() {
        world.peers = 1
        world.beat()
        world.peers = 0
        world.database.becomeSole(1)
        recallLeases()
    }

    @Test func aSessionThatComesWhileABrokerBecomesTheSoleOneEndsThat() {
        recallWhileItBecomesTheSoleOne()
        world.act { $0.becameSole(now: $1) }
        world.settle()
        #expect(world.database.sole == nil)
    }

    /// The answer was lost, and the heartbeat tells.
    @Test func aBrokerThatDoesNotKnowItIsTheSoleOneEndsThatForASession() {
        recallWhileItBecomesTheSoleOne()
        world.beat()
        #expect(world.database.sole == nil)
    }

    /// What is read of one tube is kept until the other tube is known too.
    @Test func aClientOfTwoTubesIsServedWhileSessionsRecallLeases() {
        world.connect(using: "a").sends(.put("later", priority: 2))
        world.connect(using: "b").sends(.put("sooner", priority: 1))
        let worker = world.connect(watching: "a")
        world.queries = .stopped
        worker.sends(.watch("b"), .reserve)
        recallLeases()
        for _ in 1...30 {
            world.stepQueries()
            world.stepWrites(.changes)
        }
        world.settle()
        #expect(worker.hears() == [.watching(2), .reserved(2, "sooner")])
        #expect(world.database.rows[1]?.lease == nil)
    }

    @Test func nobodyIsAloneWhileASessionHasAJob() {
        world.connect().sends(.put("a"))
        recallLeases()
        let taken = world.database.reserve(1, of: 1, for: .seconds(60), at: world.now)
        #expect(taken.ids == [1])
        world.advance(.seconds(40))
        #expect(world.database.sole == nil)
        #expect(world.connect().asks(.reserveWithTimeout(seconds: 0)) == .timedOut)
        #expect(world.connect().asks(.delete(1)) == .notFound)
        world.advance(.seconds(30))
        world.database.endLeases(at: world.now)
        #expect(world.connect().asks(.reserveWithTimeout(seconds: 2)) == .reserved(1, "a"))
    }

    @Test func whatASessionHasPutGoesBeforeWhatIsCached() {
        let worker = world.connect()
        worker.sends(.watch("default"))
        _ = worker.hears()
        world.connect().sends(.put("cached", priority: 5))
        let id = world.database.putForeign(in: "default", priority: 1, at: world.now)
        let tube = world.database.tubeRows(at: world.now)[0]
        world.act {
            $0.learn([SQLChange(tube: tube, first: JobKey(priority: 1, id: id))], readAt: $1, now: $1)
        }
        #expect(worker.asks(.reserve) == .reserved(id, "foreign"))
    }

    /// The look of a connection that is lost may have folded the job into the counts, and nobody else tells of it.
    @Test func whatALostLookHasFoldedIsCountedAnew() {
        let client = world.connect()
        client.sends(.put("a"))
        world.advance(.seconds(2))
        _ = world.database.putForeign(in: "default", at: world.now)
        world.act { queue, _ in queue.othersCounted() }
        world.advance(.seconds(2))
        #expect(client.asks(.statsTube("default"))?.tubeStats?.jobs.ready == 2)
    }

    @Test func aQueryThatMeetsALockIsAskedAgain() {
        world.database.rows[world.database.putForeign(in: "t", at: world.now)]?.state = .buried
        let client = world.connect()
        world.queryRefusal = .busy
        client.sends(.kickJob(1))
        world.advance(.milliseconds(300))
        #expect(client.hears() == [])
        world.queryRefusal = nil
        world.advance(.milliseconds(300))
        #expect(client.hears() == [.kickedJob])
    }

    @Test func aLockThatStaysEndsInAnError() {
        world.database.rows[world.database.putForeign(in: "t", at: world.now)]?.state = .buried
        let client = world.connect()
        world.queryRefusal = .busy
        client.sends(.kickJob(1))
        world.advance(.seconds(12))
        #expect(client.hears() == [.internalError])
    }
}
