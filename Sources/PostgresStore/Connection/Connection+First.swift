import CLibPQ

/// The first connection to a database: if it fails, why, and whether waiting may help.
///
/// The server's message is in the server's language, and a failed connection does not tell its SQLSTATE. So a second
/// connection is tried whose errors are printed as codes only.
extension Connection {
    convenience init(first conninfo: String) throws {
        do {
            try self.init(conninfo)
        } catch let error as StoreError {
            throw Connection.explain(error, conninfo)
        }
    }

    private static func explain(_ error: StoreError, _ conninfo: String) -> StoreError {
        guard case .unreachable(let message) = error else { return error }
        let codes = refusals(conninfo)
        if codes.isEmpty { return onlyReads(conninfo) ? .readOnly : error }
        return codes.allSatisfy { !StoreError.mayPass(sqlState: $0) } ? .turnedAway(message) : error
    }

    /// The SQLSTATEs with which servers refuse the connection; none if no server is there or one accepts.
    static func refusals(_ conninfo: String) -> [String] {
        guard let pg = start(conninfo) else { return [] }
        defer { PQfinish(pg) }
        _ = PQsetErrorVerbosity(pg, PQERRORS_SQLSTATE)
        // Begins again: this call waits, within the limit of the connection string.
        PQreset(pg)
        guard PQstatus(pg) != CONNECTION_OK else { return [] }
        return sqlStates(in: String(cString: PQerrorMessage(pg)))
    }

    /// The codes at the ends of lines such as `... failed: FATAL:  57P03`.
    static func sqlStates(in message: String) -> [String] {
        message.split(separator: "\n").compactMap { line in
            line.firstMatch(of: /:\s+([0-9A-Z]{5})\s*$/).map { String($0.1) }
        }
    }

    /// True if a server that is no standby accepts connections that may only read.
    private static func onlyReads(_ conninfo: String) -> Bool {
        guard let other = try? Connection(conninfo, ofAnyServer: true) else { return false }
        other.shouldGiveUp = { $0 >= Session.patience }
        return (try? other.ask(.onlyReads).value(Bool.self)) ?? false
    }
}

extension StoreError {
    /// True if the server may accept later: it starts or stops, or is full or broken. False if it does not know the
    /// database or does not let this role in.
    static func mayPass(sqlState: String) -> Bool {
        ["08", "25", "40", "53", "57", "58", "XX"].contains(String(sqlState.prefix(2)))
    }
}
