import AdminAPI

/// A search in the history, newest first, which goes on until it has enough or its time is over.
///
/// A job is found by its id. For all else the search walks the jobs in the order in which they ended, a part at a time.
struct HistorySearch {
    /// A place in the order of the history: the time of the end in microseconds since 1970, and the id.
    typealias Key = (microseconds: Int64, id: Int64)

    let tube: String?
    let isFinished: Bool?
    let id: Int64?
    /// Microseconds since 1970.
    let from: Int64
    let to: Int64
    /// Jobs before this place are meant.
    let after: Key?
    var withBody = false

    private static let day: Int64 = 86_400_000_000
    /// Days in which an id is looked up at once: planning takes some 30 us for each.
    private static let daysOfLookup = 32

    /// The jobs, and where the next page begins if there may be one.
    func run(_ connection: Connection, limit: Int) throws -> (found: [EndedJob], next: Key?) {
        let deadline = ContinuousClock.now + .seconds(AdminStore.searchTime)
        var found: [EndedJob] = []
        var part = SearchPart()
        // Times before the first partition, and between partitions, are in the one that catches the rest.
        var end = min(to, after.map { $0.microseconds + 1 } ?? .max)
        var starts = try connection.ask(.historyDays).values(Int64.self).map { $0 * HistorySearch.day }
        if id != nil {
            starts = stride(from: HistorySearch.daysOfLookup - 1, to: starts.count, by: HistorySearch.daysOfLookup)
                .map { starts[$0] }
        }
        starts.append(0)
        for start in starts where start < end {
            let times = (from: max(start, from), to: min(end, 253_402_300_799_000_000))
            var key = after
            while times.from < times.to {
                // For an id all of the time is one part.
                let last = id == nil ? try self.last(connection, times, before: key, part.size) : nil
                if id == nil, last == nil { break }
                found += try part.timed {
                    try ask(connection, times, before: key, from: last, limit - found.count)
                }
                if found.count >= limit { return (found, found.last.map { ($0.finishedMicroseconds, $0.entry.id) }) }
                guard let last else { break }
                if .now > deadline { return (found, last) }
                key = last
            }
            end = start
            if start <= from { break }
            if .now > deadline { return (found, (start, 0)) }
        }
        return (found, nil)
    }

    /// The end of the next part of the walk.
    private func last(
        _ connection: Connection, _ times: (from: Int64, to: Int64), before key: Key?, _ size: Int
    ) throws -> Key? {
        var parameters = Parameters()
        parameters.add(times.from)
        parameters.add(times.to)
        parameters.add(optional: key?.microseconds)
        parameters.add(optional: key?.id)
        parameters.add(Int32(size))
        let rows = try connection.ask(.lastOfNextEnded, parameters)
        guard rows.count > 0 else { return nil }
        let column = rows.columns(EndedKeyColumns.self)
        return (rows[0, column.finishedMicroseconds], rows[0, column.id])
    }

    private func ask(
        _ connection: Connection, _ times: (from: Int64, to: Int64), before key: Key?, from last: Key?, _ limit: Int
    ) throws -> [EndedJob] {
        var parameters = Parameters()
        parameters.add(times.from)
        parameters.add(times.to)
        parameters.add(optional: key?.microseconds)
        parameters.add(optional: key?.id)
        parameters.add(optional: tube)
        if let isFinished { parameters.add(isFinished) } else { parameters.addNull() }
        parameters.add(optional: id)
        parameters.add(Int32(limit))
        parameters.add(withBody)
        parameters.add(optional: last?.microseconds)
        parameters.add(optional: last?.id)
        return try connection.ask(.endedJobs, parameters).endedJobs
    }
}
