/// What can go wrong between the broker and PostgreSQL.
public enum StoreError: Error, CustomStringConvertible, Sendable {
    /// No connection could be made.
    case unreachable(String)
    /// The server refuses the connection, and will do so again.
    case turnedAway(String)
    /// A setting of the server lets sessions only read.
    case readOnly
    /// The connection broke. What was under way may or may not have been done.
    case lost(String)
    /// PostgreSQL refused a statement. Its transaction was rolled back.
    case refused(sqlState: String, message: String)
    /// The tube of a put has no row, or one that is about to be removed (see `Statement.put`). The transaction was rolled
    /// back.
    case tubeGone
    /// The schema is newer than this program.
    case schemaTooNew(found: Int, known: Int)
    /// The schema is older than this program needs, and it was told not to migrate.
    case schemaTooOld(found: Int, known: Int)
    /// The schema is missing or older than this program needs, and the role of the connection may not change it.
    case mayNotMigrate(found: Int, known: Int)
    /// An applied migration differs from the one that this program has.
    case migrationChanged(version: Int)
    /// The schema was made by a development version, before the first release.
    case schemaOfDevelopment(String)
    /// A step got no lock on its tables in `tries` attempts. `sessions` may be in its way.
    case migrationBlocked(version: Int, tries: Int, sessions: String)
    /// Other roles may create objects in the schema. One of them may be its owner.
    case schemaIsShared(String, roles: [String], owner: String?)
    /// The schema has functions of other roles that could be called in place of PostgreSQL's.
    case schemaHasOverloads(String, [String])
    /// The functions of the schema look for names in another schema.
    case schemaRenamed(String)
    /// The schema existed, and does not any more.
    case schemaGone(String)
    /// A pooler shares the sessions of the server between connections.
    case sessionsAreShared
    /// The session has changed to a role that may not see when the session began.
    case sessionIsHidden

    public var description: String {
        switch self {
        case .unreachable(let message), .turnedAway(let message): "cannot connect to PostgreSQL: \(message)"
        case .readOnly:
            "PostgreSQL takes the connection, but the session may only read, since default_transaction_read_only is on for "
                + "the server, the database or the role: if this is the server to write to, set it to off (alter "
                + "database ... set default_transaction_read_only to off; or alter role, alter system)"
        case .lost(let message): "lost the connection to PostgreSQL: \(message)"
        case .refused(let state, let message): "PostgreSQL refused: \(message) (SQLSTATE \(state))"
        case .tubeGone: "PostgreSQL refused: the tube has no row (SQLSTATE 23502)"
        case .schemaTooNew(let found, let known):
            "the schema has version \(found), this beanrow knows \(known): run a newer beanrow"
        case .schemaTooOld(let found, let known):
            "the schema has version \(found), this beanrow needs \(known): run `beanrow migrate up`"
        case .mayNotMigrate(let found, let known):
            "the schema has version \(found), this beanrow needs \(known), and this role may not change it: as the "
                + "schema's owner, run `beanrow migrate up` and then `beanrow migrate role` for this one"
        case .migrationChanged(let version):
            "migration \(version) was changed after it had been applied: restore the file, or write a new migration"
        case .schemaOfDevelopment(let schema):
            "the schema \(identifier(schema)) was made by a development version of Beanrow, and releases do not serve it: "
                + "rename it, run `beanrow migrate up`, and copy its jobs as docs/operations.md shows (A schema of a "
                + "development version)"
        case .migrationBlocked(let version, let tries, let sessions):
            "migration \(version) got no lock on its tables in \(tries) tries, each of which gave way so that others could "
                + "go on; nothing of it is done. End the transactions that are in its way"
                + (sessions.isEmpty ? "" : " (\(sessions))") + ", then run it again"
        case .schemaIsShared(let schema, let roles, let owner):
            "others may create functions in the schema \(identifier(schema)), and could have this queue's call theirs with "
                + "the rights of its owner: "
                + (owner.map { "\($0) owns the schema, so migrate as \($0), or use a schema of its own" }
                    ?? "take that right back, `revoke create on schema \(identifier(schema)) from "
                    + roles.joined(separator: ", ") + "`")
        case .schemaHasOverloads(let schema, let names):
            "others have functions in the schema \(identifier(schema)) that could be called in place of PostgreSQL's with "
                + "the rights of this queue's owner (\(names.joined(separator: ", "))): drop them, or use a schema of its own"
        case .schemaRenamed(let schema):
            "the schema \(identifier(schema)) has been renamed, and its functions look into the one of the old name: as its "
                + "owner, run `beanrow migrate up` with --schema and the new name"
        case .schemaGone(let schema):
            "the schema \(identifier(schema)) is not in the database any more. If it was renamed, rename it back; or run "
                + "`beanrow migrate up` and the brokers with --schema and the new name"
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
        switch self {
        case .refused(let state, _): state
        case .tubeGone: "23502"
        default: nil
        }
    }

    /// The connection is lost, or is of no use: the server goes down or was demoted.
    var isLost: Bool {
        guard let state = sqlState else { return true }
        return state.hasPrefix("57P") || state.hasPrefix("08") || state == "25006"
    }

    /// The server ends this session: on request, because it goes down, or because another session crashed.
    var isEndOfSession: Bool { sqlState.map { ["57P01", "57P02", "57P05"].contains($0) } ?? false }

    /// The epoch is dead, so the ledger row had none (see `Statement.ledger`).
    var isFenced: Bool { sqlState == "23502" && !isTubeGone }
    /// The tube of a put has no row any more.
    var isTubeGone: Bool { if case .tubeGone = self { true } else { false } }
    /// The wait for a lock took too long.
    var isLockTimeout: Bool { sqlState == "55P03" }
    /// A table, a function or the schema is missing.
    var isUndefined: Bool { ["42P01", "42883", "3F000"].contains(sqlState) }
    var isUniqueViolation: Bool { sqlState == "23505" }
    /// Another attempt may succeed.
    var isTransient: Bool { sqlState?.hasPrefix("40") ?? false }
    /// Out of disk, memory or connections.
    var isFull: Bool { sqlState?.hasPrefix("53") ?? false }
}
