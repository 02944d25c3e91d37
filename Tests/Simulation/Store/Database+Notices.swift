@testable import QueueCore

/// The notifier's statements, naively.
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

    /// Those that exist.
    func tubes(awaitedAnewBy notices: Notices) -> [(tube: TubeID, name: TubeName)]? {
        let names = notices.waits.filter(\.value).keys.sorted { $0.description < $1.description }
        return names.compactMap { name in tube(name).map { (tube: $0.id, name: name) } }
    }

    /// What others are to be told.
    func news(in notices: Notices) -> [(tube: TubeID, name: TubeName, key: JobKey)]? {
        notices.readied.sorted { $0.key < $1.key }.compactMap { row, key in
            guard let tube = tubes.first(where: { $0.id == row }) else { return nil }
            let others = awaited[tube.name, default: []].subtracting([notices.epoch])
            return notices.opened.contains(row) || !others.isEmpty ? (row, tube.name, key) : nil
        }
    }
}
