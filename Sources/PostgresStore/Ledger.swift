import QueueCore

/// The table that tells of each batch whether it happened (design, section 4).
enum Ledger {
    /// The entry that a batch makes, with what it does to the counts of tubes.
    static func entry(
        epoch: Int64, _ writer: Int16, _ batch: Int64, changes: [(tube: TubeID, counts: StateCounts)]
    ) -> Parameters {
        var parameters = Parameters()
        parameters.add(epoch)
        parameters.add(writer)
        parameters.add(batch)
        parameters.add(int4s: changes.map(\.tube))
        parameters.add(int4s: changes.map { Int32($0.counts.urgent) })
        parameters.add(int4s: changes.map { Int32($0.counts.ready) })
        parameters.add(int4s: changes.map { Int32($0.counts.delayed) })
        parameters.add(int4s: changes.map { Int32($0.counts.buried) })
        return parameters
    }

    /// Whether a batch whose outcome was lost has committed. Claims its key: that waits for the old transaction to
    /// end, and keeps it from committing if it has not by then. The claim itself commits as surely as a batch does: a
    /// batch that was cut off while it waited for a synchronous standby is there now too.
    static func lookUp(_ connection: Connection, epoch: Int64, writer: Int16, batch: Int64) throws -> Bool {
        var parameters = Parameters()
        parameters.add(epoch)
        parameters.add(writer)
        parameters.add(batch)
        try connection.send(.claimLedger, parameters)
        try connection.sendSync()
        return try connection.results(of: 1)[0].bool(0, 0)
    }
}
