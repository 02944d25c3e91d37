import CLibPQ

/// The first connection to a database: when there is none, why, and whether it is worth waiting for.
///
/// The message of a server is in its own language, and a connection that failed does not tell its SQLSTATE. So it is
/// tried once more, and the server's errors are printed as nothing but their codes.
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

    /// The SQLSTATEs with which servers refuse to be connected to; none if none is there, or one takes it.
    static func refusals(_ conninfo: String) -> [String] {
        guard let pg = start(conninfo) else { return [] }
        defer { PQfinish(pg) }
        _ = PQsetErrorVerbosity(pg, PQERRORS_SQLSTATE)
        // From the beginning again: this call waits, and within the limit of the connection string.
        PQreset(pg)
        guard PQstatus(pg) != CONNECTION_OK else { return [] }
        return sqlStates(in: String(cString: PQerrorMessage(pg)))
    }

    /// The codes at the ends of lines: `... failed: FATAL:  57P03`.
    static func sqlStates(in message: String) -> [String] {
        message.split(separator: "\n").compactMap { line in
            line.firstMatch(of: /:\s+([0-9A-Z]{5})\s*$/).map { String($0.1) }
        }
    }

    /// Whether a server that is no standby takes connections that may only read.
    private static func onlyReads(_ conninfo: String) -> Bool {
        guard let other = try? Connection(conninfo, ofAnyServer: true) else { return false }
        other.isGivenUp = { $0 >= Session.patience }
        return (try? other.ask(.onlyReads).bool(0, 0)) ?? false
    }
}

extension StoreError {
    /// Whether a server that answers so may answer otherwise in a while: it starts or stops, is full or broken. Not so
    /// when it does not know the database, or does not let this role in.
    static func mayPass(sqlState: String) -> Bool {
        ["08", "25", "40", "53", "57", "58", "XX"].contains(String(sqlState.prefix(2)))
    }
}

extension Statement {
    static let onlyReads = Statement(
        name: "",
        sql: "select not pg_is_in_recovery() and current_setting('transaction_read_only')::boolean")
}
