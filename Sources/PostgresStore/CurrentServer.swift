import Synchronization

/// The server that all connections of a store lead to: the one that the keeper has found.
///
/// With several hosts, a load balancer or a name that moves, each connection might end on a server of its own, and two
/// of them may accept writes: the new primary, and the old one that was not told. So the keeper alone chooses, and the
/// others work where the keeper's session is to be seen, and nowhere else.
final class CurrentServer: Sendable {
    /// The time from one connection of the keeper to its next. What was under way in an earlier one counts as lost.
    struct Term: Sendable {
        let number: Int
        let address: HostAddress?
        let keeper: ServerSession
    }

    /// A batch of the ledger.
    struct Entry: Sendable {
        let epoch: Int64
        let batch: Int64
    }

    private struct State {
        var number = 0
        var term: Term?
        var committed: [Int16: Entry] = [:]
    }

    private let state = Mutex(State())
    private let followers = Mutex<[Bell]>([])

    /// To be rung when a term begins.
    func add(follower: Bell) { followers.withLock { $0.append(follower) } }

    // MARK: The keeper's side

    /// Ends the term: from here on nothing counts that was done in it.
    /// - Returns: the last batch of each writer that is known to have committed.
    func endTerm() -> [Int16: Entry] {
        state.withLock { state in
            state.number += 1
            state.term = nil
            return state.committed
        }
    }

    /// Begins the next one, where this connection leads.
    func beginTerm(_ keeper: Connection) throws {
        let session = try keeper.session ?? ServerSession(of: keeper)
        let address = keeper.address
        state.withLock { $0.term = Term(number: $0.number, address: address, keeper: session) }
        for bell in followers.withLock({ $0 }) { bell.ring() }
    }

    /// The last batch of a writer that is known to have committed; 0 if there is none.
    func lastCommitted(by writer: Int16) -> Int64 { state.withLock { $0.committed[writer]?.batch ?? 0 } }

    // MARK: The others' side

    /// `nil` while the keeper looks for a server.
    var term: Term? { state.withLock { $0.term } }

    func isCurrent(_ number: Int) -> Bool { state.withLock { $0.number == number } }

    /// A batch has committed; false if the term has ended meanwhile, and this server may not be the one any more.
    func commit(_ entry: Entry, by writer: Int16, in number: Int) -> Bool {
        state.withLock { state in
            guard state.number == number else { return false }
            state.committed[writer] = entry
            return true
        }
    }
}
