@testable import QueueCore

/// The keeper's statements about tubes, done naively.
extension Database {
    func stamp(_ tube: TubeID) {
        guard let at = tubes.firstIndex(where: { $0.id == tube }) else { return }
        lastStamp += 1
        tubes[at].stamp = lastStamp
    }

    /// All tubes.
    func tubeRows(at now: Instant) -> [TubeRow] {
        tubes.map { $0.row(counts: counts(of: $0.id), at: clock(now)) }
    }

    /// The tubes that have changed since a reading; all tubes if there was none.
    func tubeRows(since known: Int?, _ recount: Recount, at now: Instant) -> (rows: [TubeRow], stamp: Int) {
        var wanted = tubes
        if let known {
            switch recount {
            case .all: break
            // In PostgreSQL the counts have a stamp of their own.
            case .none: wanted.removeAll { $0.stamp <= known }
            case .changed(let also):
                wanted.removeAll { $0.stamp <= known && (mistake == .countsOnce || !also.contains($0.id)) }
            }
        }
        return (wanted.map { $0.row(counts: counts(of: $0.id), at: clock(now)) }, lastStamp)
    }

    // MARK: Removal

    private func isEmpty(_ tube: TubeEntry, at now: Instant) -> Bool {
        policies[tube.id] == nil && tube.pausedUntil.map { $0 <= clock(now) } ?? true
            && !rows.values.contains { $0.tube == tube.id }
    }

    /// Marks the tubes that nobody needs.
    func markTubes(_ epoch: Int64, except needed: (TubeID) -> Bool, at now: Instant) -> [TubeID] {
        var marked: [TubeID] = []
        for at in tubes.indices where isEmpty(tubes[at], at: now) && !needed(tubes[at].id) {
            guard awaited[tubes[at].name, default: []].isEmpty, tubes[at].remover.map({ !epochs.contains($0) }) ?? true
            else { continue }
            tubes[at].remover = epoch
            marked.append(tubes[at].id)
        }
        return marked
    }

    /// Removes those that are still marked and empty. A put with a key has its tube locked.
    func removeTubes(_ marked: [TubeID], _ epoch: Int64, at now: Instant) -> [TubeID] {
        var gone: [TubeID] = []
        for at in tubes.indices.reversed() where marked.contains(tubes[at].id) && tubes[at].remover == epoch {
            let id = tubes[at].id
            if isEmpty(tubes[at], at: now), !unborn.values.contains(where: { $0.tube == id }) {
                tubes.remove(at: at)
                gone.append(id)
            } else {
                tubes[at].remover = nil
            }
        }
        for other in epochs where other != epoch {
            noticesFor[other, default: []] += gone.map { (tube: $0, key: .first) }
        }
        return gone
    }

    /// Whether jobs may be put into the tube.
    func isOpen(_ tube: TubeID) -> Bool {
        mistake == .putsIntoRemoved || tubes.contains { $0.id == tube && $0.remover == nil }
    }
}
