/// What can go wrong between the broker and PostgreSQL.
public enum StoreError: Error, CustomStringConvertible, Sendable {
    /// No connection could be made.
    case unreachable(String)
    /// The connection broke: what was under way may or may not have been done.
    case lost(String)
    /// PostgreSQL refused a statement; its transaction was rolled back.
    case refused(sqlState: String, message: String)
    /// The schema is newer than this program knows.
    case schemaTooNew(found: Int, known: Int)
    /// The schema is older than this program needs, and it was told not to migrate.
    case schemaTooOld(found: Int, known: Int)
    /// The schema is missing or older than this program needs, and the role of the connection may not change it.
    case mayNotMigrate(found: Int, known: Int)
    /// A migration that was applied is not the one that this program has.
    case migrationChanged(version: Int)
    /// A step got no lock on its tables, however often it was tried; `sessions` may be in its way.
    case migrationBlocked(version: Int, tries: Int, sessions: String)
    /// A pooler gives the sessions of the server to one connection after the other.
    case sessionsAreShared
    /// The role that the session has changed to is not told when the session began.
    case sessionIsHidden

    public var description: String {
        switch self {
        case .unreachable(let message): "cannot connect to PostgreSQL: \(message)"
        case .lost(let message): "lost the connection to PostgreSQL: \(message)"
        case .refused(let state, let message): "PostgreSQL refused: \(message) (SQLSTATE \(state))"
        case .schemaTooNew(let found, let known):
            "the schema has version \(found), this beanrow knows \(known): run a newer beanrow"
        case .schemaTooOld(let found, let known):
            "the schema has version \(found), this beanrow needs \(known): run `beanrow migrate up`"
        case .mayNotMigrate(let found, let known):
            "the schema has version \(found), this beanrow needs \(known), and this role may not change it: as the "
                + "schema's owner, run `beanrow migrate up` and then `beanrow migrate role` for this one"
        case .migrationChanged(let version):
            "migration \(version) was changed after it had been applied: restore the file, or write a new migration"
        case .migrationBlocked(let version, let tries, let sessions):
            "migration \(version) got no lock on its tables in \(tries) tries, each of which gave way so that others could "
                + "go on; nothing of it is done. End the transactions that are in its way"
                + (sessions.isEmpty ? "" : " (\(sessions))") + ", then run it again"
        case .sessionIsHidden:
            "the connection works as another role than it has logged in as (SET ROLE), which may neither see nor end its "
                + "own sessions: log in as that role, or as a member of it"
        case .sessionsAreShared:
            "a connection pooler leads to the database and gives its sessions to one transaction after the other (PgBouncer "
                + "with pool_mode = transaction or statement): Beanrow's locks, LISTEN and prepared statements belong to "
                + "sessions. Set pool_mode = session for this database, or connect to PostgreSQL itself"
        }
    }

    var sqlState: String? {
        if case .refused(let state, _) = self { state } else { nil }
    }

    /// The server is going down or was demoted: as good as a lost connection.
    var isLost: Bool {
        guard let state = sqlState else { return true }
        return state.hasPrefix("57P") || state.hasPrefix("08") || state == "25006"
    }

    /// The server ends this session: it was told to, it goes down, or another session crashed.
    var isEndOfSession: Bool { sqlState.map { ["57P01", "57P02", "57P05"].contains($0) } ?? false }

    /// A broker's row was not found, so its ledger entry had no epoch (see `Statement.ledger`).
    var isFenced: Bool { sqlState == "23502" }
    /// The limit of the wait for a lock was reached.
    var isLockTimeout: Bool { sqlState == "55P03" }
    var isUniqueViolation: Bool { sqlState == "23505" }
    /// Another try may do better.
    var isTransient: Bool { sqlState?.hasPrefix("40") ?? false }
    /// Out of disk, memory or connections.
    var isFull: Bool { sqlState?.hasPrefix("53") ?? false }
}
