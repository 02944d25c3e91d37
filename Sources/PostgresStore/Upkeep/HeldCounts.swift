import QueueCore

/// Publishes what this broker's clients hold: a row for each tube of which something is held, or was a short time ago.
/// Other brokers read rows that have changed, so a row says for a while that nothing is held before it is deleted.
struct HeldCounts {
    private var unpublished: [TubeID: StateCounts] = [:]
    /// The tubes with a row that says that something is held.
    private var published: Set<TubeID> = []
    /// The tubes with a row that says that nothing is held, and since when.
    private var empty: [(tube: TubeID, since: Instant)] = []

    mutating func publish(
        _ changes: [(tube: TubeID, counts: StateCounts)], epoch: Int64, at now: Instant, _ connection: Connection
    ) throws {
        for (tube, counts) in changes { unpublished[tube] = counts }
        // Zero is published only for a tube that has a row.
        let held = unpublished.filter { $0.value.total != 0 || published.contains($0.key) }
        if !held.isEmpty { try send(held, epoch, connection) }
        for (tube, counts) in held {
            if counts.total != 0 {
                published.insert(tube)
            } else if published.remove(tube) != nil {
                empty.append((tube, now))
            }
        }
        unpublished = [:]
        try removeEmpty(epoch, before: now - TubeChanges.heldRowsStay, connection)
    }

    private func send(_ held: [TubeID: StateCounts], _ epoch: Int64, _ connection: Connection) throws {
        let held = held.sorted { $0.key < $1.key }
        var parameters = Parameters()
        parameters.add(epoch)
        parameters.add(int4s: held.map(\.key))
        parameters.add(counts: held.map(\.value))
        _ = try connection.execute(.publishHeld, parameters)
    }

    private mutating func removeEmpty(_ epoch: Int64, before time: Instant, _ connection: Connection) throws {
        let old = empty.prefix { $0.since < time }
        guard !old.isEmpty else { return }
        var parameters = Parameters()
        parameters.add(epoch)
        parameters.add(int4s: old.map(\.tube))
        _ = try connection.execute(.deleteEmptyHeld, parameters)
        empty.removeFirst(old.count)
    }
}
