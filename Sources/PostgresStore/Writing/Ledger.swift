import QueueCore

/// The table that tells whether a batch has committed (docs/ARCHITECTURE.md, The ledger).
enum Ledger {
    /// The parameters of a batch's ledger row: its key, and how it changes the counts of tubes.
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

    /// Tells whether a batch whose outcome was lost has committed. Claims its key, which waits for the old transaction to
    /// end and keeps it from committing later. The claim commits as durably as a batch: one that was cut off while it
    /// waited for a synchronous standby is on the standby then.
    static func lookUp(_ connection: Connection, epoch: Int64, writer: Int16, batch: Int64) throws -> Bool {
        var parameters = Parameters()
        parameters.add(epoch)
        parameters.add(writer)
        parameters.add(batch)
        try connection.send(.claimLedger, parameters)
        try connection.sendSync()
        return try connection.results(of: 1)[0].value(Bool.self)
    }
}
