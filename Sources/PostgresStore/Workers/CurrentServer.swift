import Synchronization

/// The server that all connections of a store lead to.
///
/// With several hosts, a load balancer or a name that moves, connections might lead to different servers, and two of them
/// may accept writes: the new primary, and an old one that was not told. So the keeper alone chooses the server, and the
/// other workers use a connection only if its server has the keeper's session.
final class CurrentServer: Sendable {
    /// The time from one connection of the keeper to its next. What was under way in an earlier term counts as lost.
    struct Term: Sendable {
        let number: Int
        let address: HostAddress?
        let keeper: ServerSession
    }

    /// Names a batch in the ledger.
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
    private let workers = Mutex<[Bell]>([])

    /// Adds a bell to ring when a term begins.
    func add(worker: Bell) { workers.withLock { $0.append(worker) } }

    // MARK: For the keeper

    /// Ends the term: commits that are reported later do not count.
    /// - Returns: The last batch of each writer that is known to have committed.
    func endTerm() -> [Int16: Entry] {
        state.withLock { state in
            state.number += 1
            state.term = nil
            return state.committed
        }
    }

    /// Begins the next term, at this connection's server.
    func beginTerm(_ keeper: Connection) throws {
        let session = try keeper.session ?? ServerSession(of: keeper)
        let address = keeper.address
        state.withLock { $0.term = Term(number: $0.number, address: address, keeper: session) }
        for bell in workers.withLock({ $0 }) { bell.ring() }
    }

    /// The last batch of a writer that is known to have committed; 0 if there is none.
    func lastCommitted(by writer: Int16) -> Int64 { state.withLock { $0.committed[writer]?.batch ?? 0 } }

    // MARK: For the other workers

    /// `nil` while the keeper looks for a server.
    var term: Term? { state.withLock { $0.term } }

    func isCurrent(_ number: Int) -> Bool { state.withLock { $0.number == number } }

    /// Records a commit.
    /// - Returns: False if the term has ended: the keeper may have changed to another server.
    func commit(_ entry: Entry, by writer: Int16, in number: Int) -> Bool {
        state.withLock { state in
            guard state.number == number else { return false }
            state.committed[writer] = entry
            return true
        }
    }
}
