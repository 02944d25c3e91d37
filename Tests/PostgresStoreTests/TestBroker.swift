import Logging
import TestKit

@testable import PostgresStore
@testable public import QueueCore

/// A broker with a writer and a query runner but no keeper. It lives until the test calls `die`.
final class TestBroker {
    let db: Database
    let epoch: Int64
    let client = FakeClient()
    /// The id of the tube `default`.
    let tube: TubeID
    private let writer: Writer
    private let queryRunner: QueryRunner
    /// Stands in for the keeper's session.
    private let keeping: PostgresStore.Connection

    /// A broker on its own schema.
    ///
    /// `kind`: the kind of its writer.
    convenience init(_ kind: WriteKind = .puts, on server: TestPostgres? = nil) throws {
        let db = try Database(on: server)
        try self.init(db, tube: db.addTube(), kind: kind)
    }

    /// A broker that reaches the server by this route.
    convenience init(route: String) throws {
        let db = try Database()
        try self.init(db, tube: db.addTube(), route: route)
    }

    init(_ db: Database, tube: TubeID, kind: WriteKind = .puts, route: String? = nil) throws {
        self.db = db
        self.tube = tube
        keeping = try db.session()
        epoch = try db.addBroker(heartbeat: "now() + interval '1 h'")
        let server = CurrentServer()
        try server.beginTerm(keeping)
        client.kind = kind
        writer = Writer(kind, db.configuration("writer \(epoch)", route: route), server, client, .quiet)
        queryRunner = QueryRunner(db.configuration("queries \(epoch)", route: route), server, client, .quiet)
        writer.start()
        queryRunner.start()
    }

    deinit {
        for worker in [writer, queryRunner] {
            precondition(worker.stop(within: patience), "a worker has not ended")
        }
    }

    /// The tasks of its sessions.
    var writing: String { "writer \(epoch)" }
    var querying: String { "queries \(epoch)" }

    /// Another broker on the same schema.
    func peer() throws -> TestBroker { try TestBroker(db, tube: tube) }

    /// Deletes the broker's row, as if a peer had declared it dead.
    func die() throws { try db.removeBroker(epoch) }

    // MARK: Writing

    /// Writes a batch and returns the outcome of each of its parts.
    func writeParts(_ fill: (inout WriteBatch) -> Void) throws -> [(batch: WriteBatch, outcome: WriteOutcome)] {
        send(fill)
        return try client.outcome()
    }

    /// Writes a batch that is done in one part, and returns its outcome.
    func write(_ fill: (inout WriteBatch) -> Void) throws -> WriteOutcome {
        let parts = try writeParts(fill)
        guard parts.count == 1 else { throw WireMismatch("\(parts.count) parts") }
        return parts[0].outcome
    }

    /// Sends a batch without waiting for its outcome.
    func send(_ fill: (inout WriteBatch) -> Void) {
        var batch = WriteBatch(epoch: epoch)
        fill(&batch)
        client.give(batch)
        writer.bell.ring()
    }

    /// Writes a batch of puts.
    func put(_ puts: Put...) throws {
        let outcome = try write { $0.puts = puts }
        guard outcome == .committed else { throw WireMismatch("put: \(outcome)") }
    }

    func put(_ id: JobID, priority: UInt32 = 0, delay: UInt32 = 0, leased: Bool = false, body: Body = [1]) -> Put {
        Put(
            id: id, tube: tube, job: NewJob(priority: priority, delay: delay, ttr: 60, body: body), isLeased: leased,
            tubeSlot: 0, ticket: .some, issued: Instant(nanoseconds: 0))
    }

    func move(
        _ id: JobID, from: StoredState = .ready, to: StoredState, priority: UInt32 = 0, delay: UInt32 = 0,
        keepsLease: Bool = false, counters: JobCounters = JobCounters(), isAsked: Bool = true
    ) -> StateChange {
        StateChange(
            id: id, tube: tube, from: from, fromPriority: 0, to: to, priority: priority, delay: delay,
            keepsLease: keepsLease, counters: counters, slot: 0, wasHeld: true, ticket: isAsked ? .some : nil,
            issued: Instant(nanoseconds: 0))
    }

    func delete(_ id: JobID, from: StoredState = .ready, priority: UInt32 = 0) -> Delete {
        Delete(
            id: id, tube: tube, from: from, fromPriority: priority, slot: 0, wasHeld: true, ticket: .some,
            issued: Instant(nanoseconds: 0))
    }

    // MARK: Asking

    func ask(_ queries: [Query]) throws -> [Answer] {
        send(queries)
        return try client.answers(queries.count)
    }

    func ask(_ query: Query) throws -> Answer {
        try ask([query])[0]
    }

    /// Asks without waiting for the answers.
    func send(_ queries: [Query]) {
        client.give(queries, epoch: epoch)
        queryRunner.bell.ring()
    }

    /// Asks for jobs and returns their rows.
    func find(_ query: Query) throws -> [JobRow] {
        guard case .rows(let rows) = try ask(query) else { throw WireMismatch("no rows") }
        return rows
    }

    func refilling(
        from: JobKey = .first, limit: Int = 100, bodyLimit: Int = 1 << 20, _ claim: Claim = .free
    ) -> Query {
        .refill(tube: tube, from: from, limit: limit, bodyLimit: bodyLimit, claim)
    }

    func refill(from: JobKey = .first, limit: Int = 100, _ claim: Claim = .free) throws -> [JobID] {
        try find(refilling(from: from, limit: limit, claim)).map(\.id)
    }
}

extension Logger {
    /// Logs nothing: these tests break connections.
    static let quiet = Logger(label: "test.store") { _ in SwiftLogNoOpLogHandler() }
}

extension Ticket {
    static let some = Ticket(connection: ConnectionID(slot: 0, generation: 1), place: 0)
}

extension WriteOutcome: Equatable {
    public static func == (a: Self, b: Self) -> Bool { "\(a)" == "\(b)" }
}

extension Query {
    /// A delete while no tube keeps history.
    static func delete(_ id: JobID) -> Query { .delete(id, isRecorded: false) }
}
