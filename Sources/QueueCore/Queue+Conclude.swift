import DequeModule

/// The end of each step: what follows from it for clients and tubes.
///
/// A step is a command, an outcome or an answer, a job that is given back or whose time is over, a notice, or a moment
/// of time. It changes the state and marks what it has touched; it serves nobody and runs no other client's command.
/// Then `conclude` goes on in this order, until nothing is marked:
///
/// 1. Tubes, in the order in which they were marked: clients that wait for their jobs are served, and a tube that
///    nothing refers to is removed.
/// 2. What no client took of a refill is given back if SQL sessions recall leases.
/// 3. Clients whose wait ended with a sweep are answered.
/// 4. The first of the connections that may go on runs the command that it waited with, and takes commands again.
///
/// So a command that waited comes after the clients that were served by what it waited for.
struct Marks {
    var tubes: ContiguousArray<Int> = []
    var mayHaveSurplus = false
    /// Clients that are answered though their tubes have nothing.
    var waiters: [Tube.Waiter] = []
    var connections: Deque<ConnectionID> = []

    /// False if nothing is marked: most steps mark nothing.
    var isAny = false
}

extension Tube {
    /// Why a tube is to be looked at.
    struct Mark: OptionSet {
        let rawValue: UInt8

        /// Something that referred to the tube is gone.
        static let dropped = Mark(rawValue: 1)
        /// A job may be there for a client that waits.
        static let ready = Mark(rawValue: 2)
        /// More is known of the tube than before, so each waiting client is looked at, also when the tube has no job.
        static let news = Mark(rawValue: 4)
    }
}

extension Queue {
    /// A job may be there for clients that wait for the tube.
    @inline(__always)
    mutating func markReady(_ tube: Int) {
        if tubes[tube].waiting > 0, !tubes[tube].mark.contains(.ready) { mark(tube, .ready) }
    }

    /// More is known of the tube than before.
    mutating func markNews(_ tube: Int) {
        if tubes[tube].waiting > 0 { mark(tube, .news) }
    }

    mutating func markNewsOfAll() {
        for tube in tubes.active { markNews(tube) }
    }

    /// Something that referred to the tube is gone.
    @inline(__always)
    mutating func markDropped(_ tube: Int) {
        // A tube that clients use or watch is not removed, whatever else refers to it.
        if tubes[tube].using == 0, tubes[tube].watching == 0 { mark(tube, .dropped) }
    }

    private mutating func mark(_ tube: Int, _ mark: Tube.Mark) {
        if tubes[tube].mark.isEmpty { marks.tubes.append(tube) }
        tubes[tube].mark.formUnion(mark)
        marks.isAny = true
    }

    /// The connection may be able to go on.
    mutating func mark(connection slot: Int) {
        guard !connections[slot].isMarked else { return }
        connections[slot].isMarked = true
        marks.connections.append(id(of: slot))
        marks.isAny = true
    }

    /// The commands of these connections waited for something that has happened.
    mutating func mark(connections: [ConnectionID]) {
        for connection in connections where isOpen(connection) { mark(connection: connection.slot) }
    }

    /// Clients are answered whatever their tubes have.
    mutating func mark(waiters: [Tube.Waiter]) {
        marks.waiters += waiters
        marks.isAny = true
    }

    /// What no client takes is given back.
    mutating func markSurplus() {
        marks.mayHaveSurplus = true
        marks.isAny = true
    }

    @inline(__always)
    mutating func conclude(now: Instant) {
        if marks.isAny { concludeMarked(now: now) }
    }

    private mutating func concludeMarked(now: Instant) {
        while true {
            var at = 0
            while at < marks.tubes.count {
                conclude(tube: marks.tubes[at], now: now)
                at += 1
            }
            marks.tubes.removeAll(keepingCapacity: true)
            if marks.mayHaveSurplus {
                marks.mayHaveSurplus = false
                giveBackSurplus(now: now)
            } else if !marks.waiters.isEmpty {
                answerWaiters(now: now)
            } else if let connection = marks.connections.popFirst() {
                goOn(connection, now: now)
            } else {
                break
            }
        }
        marks.isAny = false
    }

    private mutating func conclude(tube: Int, now: Instant) {
        let mark = tubes[tube].mark
        tubes[tube].mark = []
        if mark.contains(.news) {
            match(tube, isNews: true, now: now)
        } else if mark.contains(.ready) {
            match(tube, isNews: false, now: now)
        }
        // An empty mark: the tube has been removed, and marked before.
        if !mark.isEmpty, !tubes[tube].isReferenced { remove(tube: tube, now: now) }
    }

    private mutating func answerWaiters(now: Instant) {
        let waiters = marks.waiters
        marks.waiters = []
        for waiter in waiters where isWaiting(waiter) { _ = serve(waiter.connection.slot, now: now) }
    }

    private mutating func goOn(_ connection: ConnectionID, now: Instant) {
        guard isOpen(connection) else { return }
        let slot = connection.slot
        connections[slot].isMarked = false
        if connections[slot].replies.isEmpty, let command = connections[slot].parked {
            connections[slot].parked = nil
            execute(command, slot, now: now)
        }
        if !connections[slot].isBlocked { connections.put(.resume(connection), for: slot) }
    }
}
