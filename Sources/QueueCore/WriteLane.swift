/// What a write does, and how long it may take. Puts and changes of jobs go to the database on two ways at once: neither needs to wait for the
/// other, since a job is changed only after its put has committed. Within each, batches keep their order. Large bodies
/// go on a third way: nobody else's commit waits for theirs.
public enum WriteKind: Int, CaseIterable, Sendable {
    /// New jobs.
    case puts
    /// Changes of jobs that this broker holds the lease of.
    case changes
    /// New jobs with large bodies, and what their clients have put behind them.
    case largePuts

    static let ofPuts: [WriteKind] = [.puts, .largePuts]
}

/// Writes of one kind: those that collect, and the batch of them that is being committed.
struct WriteLane {
    var pending = WriteBatch(epoch: 0)
    var inFlight: WriteBatch?
    var inFlightSince = Instant.never
    /// Fewer operations than this are not worth waking the writer for; it comes by itself a moment later.
    var wanted = 0

    var isIdle: Bool { inFlight == nil && pending.isEmpty }

    /// Whether a put of this client is under way.
    func hasPut(of client: ConnectionID) -> Bool {
        pending.puts.contains { $0.ticket.connection == client }
            || inFlight?.puts.contains { $0.ticket.connection == client } ?? false
    }
}

struct WriteLanes {
    // By number: yielding one of two properties after a `switch` was miscompiled (Swift 6.3.1, optimized).
    private var lanes = WriteKind.allCases.map { _ in WriteLane() }

    subscript(kind: WriteKind) -> WriteLane {
        _read { yield lanes[kind.rawValue] }
        _modify { yield &lanes[kind.rawValue] }
    }

    var puts: WriteLane {
        _read { yield lanes[WriteKind.puts.rawValue] }
        _modify { yield &lanes[WriteKind.puts.rawValue] }
    }

    var largePuts: WriteLane {
        _read { yield lanes[WriteKind.largePuts.rawValue] }
        _modify { yield &lanes[WriteKind.largePuts.rawValue] }
    }

    var changes: WriteLane {
        _read { yield lanes[WriteKind.changes.rawValue] }
        _modify { yield &lanes[WriteKind.changes.rawValue] }
    }
}
