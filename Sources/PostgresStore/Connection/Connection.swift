import CLibPQ
import Foundation
import LogKeys

#if os(Linux)
import CLinux
#endif

/// A connection to PostgreSQL through libpq. Blocking, and confined to the thread that made it: never an event loop.
final class Connection {
    let pg: OpaquePointer
    private let chosen: HostAddress?
    /// The server's side; `nil` until it is known, and after the server has said that it ends.
    var session: ServerSession?
    /// Called once a second during the wait for an answer, with the seconds that have passed: true ends the wait, as a
    /// lost connection. Without it the wait has no end.
    var shouldGiveUp: ((_ seconds: Int) -> Bool)?
    /// What PostgreSQL advised with the last error, if it did.
    private(set) var lastHint: String?

    /// Connects.
    /// - Parameters:
    ///   - conninfo: Any libpq connection string or URL.
    ///   - address: The only one of its servers to connect to.
    ///   - ofAnyServer: Accepts a server that refuses writes.
    /// - Throws: `StoreError`.
    init(_ conninfo: String, at address: HostAddress? = nil, ofAnyServer: Bool = false) throws {
        var others: [(String, String)] = ofAnyServer ? [("target_session_attrs", "any")] : []
        if let address {
            others += [("host", address.host), ("hostaddr", address.hostaddr), ("port", address.port)]
        }
        guard let pg = Connection.with(conninfo, others, { PQconnectdbParams($0, $1, 1) }) else {
            throw StoreError.lost("out of memory")
        }
        self.pg = pg
        chosen = address
        guard PQstatus(pg) == CONNECTION_OK else {
            throw StoreError.unreachable(ConnectionSecrets(in: conninfo).redact(lastMessage))
        }
        // The server's notices: libpq would write them to standard error unescaped.
        PQsetNoticeProcessor(
            pg,
            { _, message in
                guard let message else { return }
                StandardError.write(PlainText.line(String(cString: message).trimmingCharacters(in: .newlines)) + "\n")
            }, nil)
        guard PQsetnonblocking(pg, 1) == 0 else { throw StoreError.lost(lastMessage) }
    }

    /// Begins a connection without waiting for it. The caller calls `PQfinish`.
    static func start(_ conninfo: String) -> OpaquePointer? {
        with(conninfo, []) { PQconnectStartParams($0, $1, 1) }
    }

    private typealias Strings = UnsafePointer<UnsafePointer<CChar>?>

    /// Lends the parameters of a connection to libpq. `others` overrule the connection string.
    private static func with(
        _ conninfo: String, _ others: [(String, String)], _ body: (Strings, Strings) -> OpaquePointer?
    ) -> OpaquePointer? {
        // Defaults come before the string, so that it may overrule them.
        let parameters: [(String, String)] =
            [
                ("fallback_application_name", "beanrow"), ("connect_timeout", "5"), ("client_encoding", "UTF8"),
                ("target_session_attrs", "read-write"), ("keepalives_idle", "5"), ("keepalives_interval", "2"),
                ("keepalives_count", "3"), ("tcp_user_timeout", "10000"), ("dbname", conninfo),
            ] + others
        return withCStrings(parameters.map(\.0)) { keywords in
            withCStrings(parameters.map(\.1)) { values in body(keywords, values) }
        }
    }

    deinit {
        PQfinish(pg)
    }

    var socket: Int32 { PQsocket(pg) }
    /// The server process as reported when the connection was made. A pooler reports a number of its own.
    var reportedPID: Int32 { PQbackendPID(pg) }
    /// The server, without secrets.
    var host: String { PQhost(pg).map { String(cString: $0) } ?? "" }
    var port: String { PQport(pg).map { String(cString: $0) } ?? "" }
    var user: String { PQuser(pg).map { String(cString: $0) } ?? "" }
    var database: String { PQdb(pg).map { String(cString: $0) } ?? "" }

    /// The servers that the connection string, the environment and the service file name; the chosen one alone if there
    /// is one.
    var addresses: [HostAddress] {
        guard let first = PQconninfo(pg) else { return [] }
        defer { PQconninfoFree(first) }
        let options = Dictionary(uniqueKeysWithValues: conninfoOptions(first).map { ($0.keyword, $0.value) })
        return HostAddress.all(
            host: options["host"] ?? "", hostaddr: options["hostaddr"] ?? "", port: options["port"] ?? "")
    }

    /// The server of this connection; `nil` if the connection string names only one.
    var address: HostAddress? {
        let all = addresses
        guard chosen == nil, all.count > 1 else { return chosen }
        return all.first { ($0.host.isEmpty ? $0.hostaddr : $0.host) == host && $0.port == port }
    }

    private var lastMessage: String {
        String(cString: PQerrorMessage(pg)).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    // MARK: One statement at a time

    /// Runs SQL without parameters. Several statements are one transaction.
    func run(_ sql: String) throws {
        guard PQsendQuery(pg, sql) == 1 else { throw StoreError.lost(lastMessage) }
        var failure: StoreError?
        while let result = try nextResult() {
            if let error = result.error { failure = failure ?? error }
        }
        if let failure { throw failure }
    }

    /// Commits what `body` does, or nothing of it when that throws. `settings`: SQL that the transaction begins with.
    func inTransaction<Value>(_ settings: String? = nil, _ body: () throws -> Value) throws -> Value {
        do {
            try run(Statement.begin.sql)
            if let settings { try run(settings) }
            let value = try body()
            try commit()
            return value
        } catch {
            try? rollBack()
            throw error
        }
    }

    func commit() throws { try run(Statement.commit.sql) }

    func rollBack() throws { try run(Statement.rollback.sql) }

    /// Prepares statements, all in one round trip. `checksColumns`: also checks that their results have the columns by
    /// which they are read.
    func prepare(_ statements: [Statement], checksColumns: Bool = true) throws {
        let checked = checksColumns ? statements.filter { $0.columns != nil } : []
        try enterPipeline()
        for statement in statements {
            guard PQsendPrepare(pg, statement.name, statement.sql, 0, nil) == 1 else {
                throw StoreError.lost(lastMessage)
            }
        }
        for statement in checked {
            guard PQsendDescribePrepared(pg, statement.name) == 1 else { throw StoreError.lost(lastMessage) }
        }
        try sendSync()
        var refusal: StoreError?
        do {
            let results = try results(of: statements.count + checked.count)
            for (statement, description) in zip(checked, results.dropFirst(statements.count)) {
                try Connection.check(statement, description)
            }
        } catch let error as StoreError where !error.isLost {
            refusal = error
        }
        guard try nextResult() == nil, PQexitPipelineMode(pg) == 1 else { throw StoreError.lost(lastMessage) }
        if let refusal { throw refusal }
    }

    /// A schema that somebody has changed may give other columns than this program reads.
    private static func check(_ statement: Statement, _ description: Rows) throws {
        guard let columns = statement.columns else { return }
        let flaws = description.flaws(for: columns)
        guard flaws.isEmpty else {
            throw StoreError.refused(
                sqlState: "42703",
                message: "the statement \(statement.name) has \(flaws.joined(separator: ", "))")
        }
    }

    /// Runs a statement once, without preparing it, and returns its rows.
    func ask(_ statement: Statement, _ parameters: Parameters = Parameters()) throws -> Rows {
        let sent = parameters.withPointers { count, values, lengths, formats in
            PQsendQueryParams(pg, statement.sql, count, nil, values, lengths, formats, 1)
        }
        guard sent == 1 else { throw StoreError.lost(lastMessage) }
        return Rows(try finishOne())
    }

    /// Runs a prepared statement and returns its rows. A statement with settings runs in a transaction of its own.
    func execute(_ statement: Statement, _ parameters: Parameters = Parameters()) throws -> Rows {
        guard let settings = statement.settings else {
            try send(statement, parameters)
            return Rows(try finishOne())
        }
        return try inTransaction(settings) {
            try send(statement, parameters)
            return Rows(try finishOne())
        }
    }

    private func finishOne() throws -> Result {
        guard let result = try nextResult() else { throw StoreError.lost(lastMessage) }
        while let more = try nextResult() { _ = more }
        if let error = result.error { throw error }
        return result
    }

    // MARK: Pipelines

    func enterPipeline() throws {
        guard PQenterPipelineMode(pg) == 1 else { throw StoreError.lost(lastMessage) }
    }

    func leavePipeline() throws {
        guard PQexitPipelineMode(pg) == 1 else { throw StoreError.lost(lastMessage) }
    }

    /// Queues a statement without waiting.
    func send(_ statement: Statement, _ parameters: Parameters = Parameters()) throws {
        let sent = parameters.withPointers { count, values, lengths, formats in
            PQsendQueryPrepared(pg, statement.name, count, values, lengths, formats, 1)
        }
        guard sent == 1 else { throw StoreError.lost(lastMessage) }
    }

    /// Ends the implicit transaction of what has been sent. It commits if no statement failed.
    func sendSync() throws {
        guard PQpipelineSync(pg) == 1 else { throw StoreError.lost(lastMessage) }
    }

    /// The results of what was sent since the last sync, up to and including the sync: one for each statement.
    func results(of count: Int) throws -> [Rows] {
        var all: [Rows] = []
        var failure: StoreError?
        for _ in 0..<count {
            guard let result = try nextResult() else { throw StoreError.lost(lastMessage) }
            while try nextResult() != nil {}
            if let error = result.error {
                // PostgreSQL skips what follows an error in a pipeline: only the first error says why.
                failure = failure ?? error
            } else {
                all.append(Rows(result))
            }
        }
        guard let sync = try nextResult(), sync.status == PGRES_PIPELINE_SYNC else {
            throw StoreError.lost(lastMessage)
        }
        if let failure { throw failure }
        return all
    }

    /// The next result; `nil` after the last result of a statement.
    private func nextResult() throws -> Result? {
        try awaitInput()
        guard let pointer = PQgetResult(pg) else {
            guard PQstatus(pg) == CONNECTION_OK else { throw StoreError.lost(lastMessage) }
            return nil
        }
        let result = Result(pointer)
        if result.error != nil { lastHint = result.hint }
        if let error = result.error, error.isLost || PQstatus(pg) != CONNECTION_OK {
            if error.isEndOfSession { session = nil }
            throw StoreError.lost(error.description)
        }
        return result
    }

    /// Sends everything and waits until there is a result to take.
    private func awaitInput() throws {
        try flush()
        while PQisBusy(pg) == 1 {
            try wait(for: Int16(POLLIN))
            guard PQconsumeInput(pg) == 1 else { throw StoreError.lost(lastMessage) }
        }
    }

    /// Sends everything, reading meanwhile so that neither side blocks the other.
    private func flush() throws {
        while true {
            switch PQflush(pg) {
            case 0: return
            case 1:
                let events = try wait(for: Int16(POLLIN | POLLOUT))
                if events & Int16(POLLIN) != 0, PQconsumeInput(pg) != 1 { throw StoreError.lost(lastMessage) }
            default: throw StoreError.lost(lastMessage)
            }
        }
    }

    @discardableResult
    private func wait(for events: Int16) throws -> Int16 {
        var descriptor = pollfd(fd: PQsocket(pg), events: events, revents: 0)
        var seconds = 0
        while true {
            switch poll(&descriptor, 1, 1000) {
            case 1: return descriptor.revents
            case 0:
                seconds += 1
                if let shouldGiveUp, shouldGiveUp(seconds), poll(&descriptor, 1, 0) == 0 {
                    throw StoreError.lost("the server does not answer")
                }
            default: guard errno == EINTR else { throw StoreError.lost(String(cString: strerror(errno))) }
            }
        }
    }

    // MARK: Streams

    /// The bytes that are given to libpq at a time.
    private static let piece = 256 << 10

    /// Runs a COPY ... FROM STDIN of what `write` gives. Not in a pipeline.
    func copy(into statement: Statement, _ write: (inout CopyStream) throws -> Void) throws {
        guard PQsendQuery(pg, statement.sql) == 1 else { throw StoreError.lost(lastMessage) }
        try awaitInput()
        guard let pointer = PQgetResult(pg) else { throw StoreError.lost(lastMessage) }
        let begun = Result(pointer)
        guard begun.status == PGRES_COPY_IN else {
            while try nextResult() != nil {}
            throw begun.error ?? StoreError.lost(lastMessage)
        }
        var stream = CopyStream { [unowned self] in try put($0) }
        try write(&stream)
        guard PQputCopyEnd(pg, nil) == 1 else { throw StoreError.lost(lastMessage) }
        _ = try finishOne()
    }

    private func put(_ bytes: UnsafeRawBufferPointer) throws {
        var left = bytes[...]
        while !left.isEmpty {
            let piece = UnsafeRawBufferPointer(rebasing: left.prefix(Connection.piece))
            guard
                PQputCopyData(pg, piece.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(piece.count)) == 1
            else { throw StoreError.lost(lastMessage) }
            // Before the next piece: libpq moves what is left in its buffer to the front each time.
            try flush()
            left = left.dropFirst(piece.count)
        }
    }

    // MARK: Notifications

    /// Takes the notifications up to the first one of another session, and returns its payload; `nil` if there is none.
    /// Anybody may have sent it.
    func nextNotification() -> String? {
        while let notification = PQnotifies(pg) {
            defer { PQfreemem(notification) }
            if notification.pointee.be_pid != session?.pid ?? reportedPID {
                return String(cString: notification.pointee.extra)
            }
        }
        return nil
    }

    /// True if something has come in within the time.
    func waitForInput(milliseconds: Int32) -> Bool {
        var descriptor = pollfd(fd: PQsocket(pg), events: Int16(POLLIN), revents: 0)
        return poll(&descriptor, 1, milliseconds) > 0
    }

    /// True if the other side has closed the idle connection.
    func isClosed() -> Bool {
        PQconsumeInput(pg) != 1 || PQstatus(pg) != CONNECTION_OK
    }
}

/// An owned `PGresult`.
final class Result {
    let pointer: OpaquePointer

    init(_ pointer: OpaquePointer) {
        self.pointer = pointer
    }

    deinit {
        PQclear(pointer)
    }

    var status: ExecStatusType { PQresultStatus(pointer) }

    var error: StoreError? {
        switch status {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_PIPELINE_SYNC, PGRES_EMPTY_QUERY: nil
        case PGRES_PIPELINE_ABORTED: .refused(sqlState: "", message: "an earlier statement failed")
        default:
            field(PG_DIAG_SQLSTATE) == "23502" && field(PG_DIAG_COLUMN_NAME) == "tube_id"
                ? .tubeGone : .refused(sqlState: field(PG_DIAG_SQLSTATE), message: field(PG_DIAG_MESSAGE_PRIMARY))
        }
    }

    var hint: String? {
        let hint = field(PG_DIAG_MESSAGE_HINT)
        return hint.isEmpty ? nil : hint
    }

    private func field(_ code: Int32) -> String {
        PQresultErrorField(pointer, code).map { String(cString: $0) } ?? ""
    }
}

private let PG_DIAG_SQLSTATE = Int32(UInt8(ascii: "C"))
private let PG_DIAG_COLUMN_NAME = Int32(UInt8(ascii: "c"))
private let PG_DIAG_MESSAGE_HINT = Int32(UInt8(ascii: "H"))
private let PG_DIAG_MESSAGE_PRIMARY = Int32(UInt8(ascii: "M"))

/// Lends an array of C strings that ends with a null pointer.
private func withCStrings<T>(_ strings: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> T) -> T {
    let copies = strings.map { strdup($0) }
    defer { copies.forEach { free($0) } }
    let pointers: [UnsafePointer<CChar>?] = copies.map { $0.map { UnsafePointer($0) } } + [nil]
    return pointers.withUnsafeBufferPointer { body($0.baseAddress!) }
}
