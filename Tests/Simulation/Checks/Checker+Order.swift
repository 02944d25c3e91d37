@testable import QueueCore

/// Invariant 4: each reserve gets the smallest job. With several brokers that is the smallest of those that this
/// broker may claim and has been told of.
extension Checker {
    func checkSmallest(_ client: RemoteClient, _ key: JobKey) {
        if let smaller = firstKnown(to: client, below: key) { fail(4, "\(client) was given \(key) before \(smaller)") }
    }

    /// A client that is told that there is no job, while its tubes are known, is told the truth.
    func checkNothingThere(_ client: RemoteClient) {
        let node = client.node
        guard node.broker.now < node.broker.queue.epochValidUntil else { return }
        for tube in node.broker.queue.connections[client.handler.id.slot].watched {
            if case .unknown = node.broker.queue.tubes[tube].front { return }
        }
        if let first = firstKnown(to: client, below: .end) {
            fail(4, "\(client) was told that there is nothing but \(first)")
        }
    }

    private func firstKnown(to client: RemoteClient, below key: JobKey) -> JobKey? {
        let node = client.node
        var first: JobKey?
        for row in database.rows.values where row.state == .ready && row.key < first ?? key {
            guard let tube = node.broker.queue.tubes.byRow[row.tube], isWatched(tube, by: client) else { continue }
            if isKnownAndClaimable(row, to: node) { first = row.key }
        }
        return first
    }

    /// A tube that is paused now, or was before this event, is left out.
    private func isWatched(_ tube: Int, by client: RemoteClient) -> Bool {
        let node = client.node
        return node.broker.queue.tubes[tube].pausedUntil == nil && !node.record.isPausing
            && !node.record.paused.contains(tube)
            && node.broker.queue.connections[client.handler.id.slot].watched.contains(tube)
    }

    private func isKnownAndClaimable(_ row: Database.Row, to node: Node) -> Bool {
        if let slot = node.broker.queue.jobs.byID[row.id] {
            return node.broker.queue.jobs[slot].isCached && node.record.cached.contains(row.id)
        }
        guard isKnown(row, to: node) else { return false }
        let undecided = node.broker.queue.jobs.undecided[row.id]
        if row.lease == node.broker.queue.epoch { return undecided == nil }
        // A refill skips rows that somebody has locked.
        return database.isFree(row) && undecided?.row == nil && !database.locked.contains(row.id)
    }

    /// Whether the broker has made the change and been told of it, or has read all tubes since.
    func isKnown(_ row: Database.Row, to node: Node) -> Bool {
        if node.writers.contains(where: { $0.untold.contains(row.change.number) }) { return false }
        if node.reader.untold.contains(row.change.number) { return false }
        if row.change.epoch == node.broker.queue.epoch { return true }
        return node.record.knowsUntil.map { row.change.at <= $0 } ?? false
    }
}
