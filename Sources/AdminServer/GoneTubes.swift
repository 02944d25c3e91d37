import QueueCore

/// Tubes that the broker has removed and that stay in sight for a while: an empty tube does not vanish from the page.
struct GoneTubes {
    private static let seconds = Duration.seconds(3600)
    private static let limit = 1000

    /// The last one to go at the end.
    private var tubes: [(name: TubeName, seenAt: ContinuousClock.Instant)] = []

    var names: [TubeName] { tubes.map(\.name) }

    func contains(_ tube: TubeName) -> Bool { tubes.contains { $0.name == tube } }

    /// Notes the tubes that are gone since the last frame, and forgets those that are there again.
    mutating func learn(_ present: [TubeLine], after last: Frame?) {
        if let oldest = tubes.first, .now - oldest.seenAt > GoneTubes.seconds { tubes.removeFirst() }
        guard let last else { return }
        let before = last.tubes.prefix(last.present)
        // Mostly they are the same, in the same places.
        if before.count == present.count, zip(before, present).allSatisfy({ $0.name == $1.name }) { return }
        let names = Set(present.map(\.name))
        tubes.removeAll { names.contains($0.name) }
        for tube in before where !names.contains(tube.name) { tubes.append((tube.name, .now)) }
        let excess = tubes.count - GoneTubes.limit
        if excess > 0 { tubes.removeFirst(excess) }
    }
}
