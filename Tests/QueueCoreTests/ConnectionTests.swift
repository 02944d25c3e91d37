import Testing

@testable import QueueCore
@testable import Simulation

@Suite("connections")
struct ConnectionTests {
    let world = World()

    @Test func whatAConnectionHeldGoesBackWithNoCounterChanged() {
        let (holder, other) = (world.connect(), world.connect())
        holder.sends(.put("a", priority: 7), .reserve)
        other.sends(.reserve)
        holder.disconnects()
        #expect(other.hears() == [.reserved(1, "a")])
        let stats = other.asks(.statsJob(1))?.jobStats
        #expect(stats?.counters == JobCounters(reserves: 2))
        #expect(stats?.priority == 7)
    }

    @Test func quitIsADisconnectAfterAllReplies() {
        let client = world.connect()
        world.writes = .taken
        client.sends(.put("a"), .quit, .listTubes)
        #expect(!client.isClosed)
        world.writes = .flowing
        #expect(client.hears() == [.inserted(1)])
        #expect(client.isClosed)
    }

    @Test func halfClosedWhileWaitingIsTimedOut() {
        let client = world.connect()
        client.sends(.reserve)
        client.halfCloses()
        #expect(client.hears() == [.timedOut])
        #expect(client.isClosed)
    }

    @Test func halfClosedStillHearsWhatItAsked() {
        let client = world.connect()
        world.writes = .taken
        client.sends(.put("a"), .reserve, .delete(1))
        client.halfCloses()
        #expect(!client.isClosed)
        world.writes = .flowing
        #expect(client.hears() == [.inserted(1), .reserved(1, "a"), .deleted])
        #expect(client.isClosed)
    }

    @Test func halfClosedBeforeItsReserveIsTimedOut() {
        let client = world.connect()
        world.writes = .taken
        client.sends(.put("a", delay: 100), .reserve)
        client.halfCloses()
        world.writes = .flowing
        #expect(client.hears() == [.inserted(1), .timedOut])
        #expect(client.isClosed)
    }

    @Test func halfClosedBeforeItsReserveFromATubeThatMustBeLookedAt() {
        world.connect(using: "t").sends(.put("a"), .delete(1))
        let client = world.connect(using: "u", watching: "t")
        world.writes = .taken
        client.sends(.put("b"), .reserve)
        client.halfCloses()
        world.writes = .flowing
        #expect(client.hears() == [.inserted(2), .timedOut])
        #expect(client.isClosed)
    }

    @Test func aReplyOnItsWayToAClosedConnectionIsNotSentToTheNext() {
        let first = world.connect()
        world.writes = .taken
        first.sends(.put("a"))
        first.disconnects()
        let second = world.connect()
        #expect(second.handler.id.slot == first.handler.id.slot)
        world.writes = .flowing
        #expect(second.hears() == [])
    }

    @Test func aDeleteOnItsWayFromAClosedConnectionHappens() {
        let (first, second) = (world.connect(), world.connect())
        first.sends(.put("a"), .reserve)
        world.writes = .taken
        first.sends(.delete(1))
        first.disconnects()
        second.sends(.reserve)
        world.writes = .flowing
        #expect(second.hears() == [])
        #expect(world.database.rows.isEmpty)
    }

    @Test func aReserveJobAnsweredAfterTheDisconnectGoesBack() {
        let (first, second) = (world.connect(), world.connect())
        first.sends(.put("a", delay: 100))
        world.queries = .done
        first.sends(.reserveJob(1))
        first.disconnects()
        world.queries = .flowing
        #expect(second.asks(.reserveWithTimeout(seconds: 0)) == .reserved(1, "a"))
    }

    @Test func tooManyOpenRepliesBlockTheConnection() {
        let client = world.connect()
        world.writes = .taken
        client.sends((0..<1500).map { _ in .put("") })
        #expect(client.handler.unread.count == 1500 - Connection.maxOpenReplies)
        world.writes = .flowing
        #expect(client.hears().count == 1500)
    }

    @Test func invalidLinesKeepTheirPlace() {
        let client = world.connect()
        world.writes = .taken
        client.sends(.put("a"), .malformed, .unknown)
        #expect(client.hears() == [])
        world.writes = .flowing
        #expect(client.hears() == [.inserted(1), .badFormat, .unknownCommand])
    }
}
