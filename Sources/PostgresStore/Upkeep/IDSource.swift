import QueueCore

/// Takes ids from the sequence. A sequence that has gone back with its server, as on an asynchronous standby, gives ids
/// again that it gave before: those are passed over.
struct IDSource {
    private var highest: JobID = 0

    /// The number of ids that one statement takes at most, beyond those asked for.
    private static let most = 100_000

    mutating func next(_ count: Int, _ connection: Connection) throws -> [ClosedRange<JobID>] {
        var ids = try IDSource.take(count, connection)
        while let last = ids.last, last <= highest {
            ids = try IDSource.take(count + min(Int(highest - last), IDSource.most), connection)
        }
        ids.removeAll { $0 <= highest }
        highest = ids.last ?? highest
        return IDSource.ranges(of: ids)
    }

    private static func take(_ count: Int, _ connection: Connection) throws -> [JobID] {
        var parameters = Parameters()
        parameters.add(Int32(count))
        return try connection.execute(.takeIDs, parameters).values(Int64.self).compactMap { JobID(exactly: $0) }
    }

    private static func ranges(of ids: [JobID]) -> [ClosedRange<JobID>] {
        var ranges: [ClosedRange<JobID>] = []
        for id in ids {
            if let last = ranges.last, last.upperBound + 1 == id {
                ranges[ranges.count - 1] = last.lowerBound...id
            } else {
                ranges.append(id...id)
            }
        }
        return ranges
    }
}
