import QueueCore

/// What this broker's clients hold, as the others know it: a row for each tube of which something is held, or was a
/// short time ago. Others read rows that have changed; a row that goes would tell them nothing.
struct HeldCounts {
    private var unpublished: [TubeID: StateCounts] = [:]
    /// Tubes with a row that says that something is held.
    private var published: Set<TubeID> = []
    /// Those with one that says that nothing is, and since when.
    private var empty: [(tube: TubeID, since: Instant)] = []

    mutating func publish(
        _ changes: [(tube: TubeID, counts: StateCounts)], epoch: Int64, at now: Instant, _ connection: Connection
    ) throws {
        for (tube, counts) in changes { unpublished[tube] = counts }
        // What nobody has heard of need not be taken back.
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
        try removeEmpty(epoch, before: now - TubeNews.memory, connection)
    }

    private func send(_ held: [TubeID: StateCounts], _ epoch: Int64, _ connection: Connection) throws {
        let held = held.sorted { $0.key < $1.key }
        var parameters = Parameters()
        parameters.add(epoch)
        parameters.add(int4s: held.map(\.key))
        parameters.add(int8s: held.map { Int64($0.value.urgent) })
        parameters.add(int8s: held.map { Int64($0.value.ready) })
        parameters.add(int8s: held.map { Int64($0.value.delayed) })
        parameters.add(int8s: held.map { Int64($0.value.buried) })
        _ = try connection.execute(.publish, parameters)
    }

    private mutating func removeEmpty(_ epoch: Int64, before time: Instant, _ connection: Connection) throws {
        let old = empty.prefix { $0.since < time }
        guard !old.isEmpty else { return }
        var parameters = Parameters()
        parameters.add(epoch)
        parameters.add(int4s: old.map(\.tube))
        _ = try connection.execute(.unpublish, parameters)
        empty.removeFirst(old.count)
    }
}
