@testable import QueueCore

/// The notifier's statements, done naively.
extension Database {
    func publish(_ notices: Notices) -> Bool? {
        for (tube, isAwaited) in notices.waits {
            if isAwaited, epochs.contains(notices.epoch) {
                awaited[tube, default: []].insert(notices.epoch)
            } else {
                awaited[tube]?.remove(notices.epoch)
            }
        }
        return true
    }

    /// Those of the tubes that exist.
    func tubes(awaitedAnewBy notices: Notices) -> [(tube: TubeID, name: TubeName)]? {
        let names = notices.waits.filter(\.value).keys.sorted { $0.description < $1.description }
        return names.compactMap { name in tube(name).map { (tube: $0.id, name: name) } }
    }

    /// The tubes for which clients of other brokers wait.
    func tubesAwaited(elsewhereThan epoch: Int64) -> Set<TubeName>? {
        Set(awaited.filter { !$0.value.subtracting([epoch]).isEmpty }.keys)
    }

    /// Leaves notices for others, and returns who they are.
    func tell(_ notices: Notices) -> Set<Int64>? {
        var told: Set<Int64> = []
        for (row, key) in notices.readied.sorted(by: { $0.key < $1.key }) {
            guard let tube = tubes.first(where: { $0.id == row }) else { continue }
            let waiting = notices.opened.contains(row) ? epochs : epochs.intersection(awaited[tube.name, default: []])
            for epoch in waiting.subtracting([notices.epoch]) {
                noticesFor[epoch, default: []].append((tube: row, key: key))
                told.insert(epoch)
            }
        }
        return told
    }

    /// Takes the notices that others have left for a broker, and tubes that have been removed.
    func takeNews(_ epoch: Int64) -> (news: [Notice], removed: [TubeID])? {
        defer { noticesFor[epoch] = nil }
        var (news, removed): ([Notice], [TubeID]) = ([], [])
        for item in noticesFor[epoch, default: []] {
            if let tube = tubes.first(where: { $0.id == item.tube }) {
                news.append(Notice(tube: item.tube, name: tube.name, key: item.key))
            } else {
                removed.append(item.tube)
            }
        }
        return (news, removed)
    }
}
