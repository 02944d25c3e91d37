/// The kinds of writes, each of which goes to the database on its own connection.
///
/// Puts and changes need not wait for each other, since a job is changed only after its put has committed. Batches of
/// one kind keep their order. Large bodies have a lane of their own, so that no other commit waits for theirs.
public enum WriteKind: Int, CaseIterable, Sendable {
    /// New jobs.
    case puts
    /// Changes of jobs whose lease this broker has.
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
    /// Operations below which the writer is not woken; it looks again by itself a moment later.
    var wakeThreshold = 0

    var isIdle: Bool { inFlight == nil && pending.isEmpty }

    /// Whether a put of this client is under way.
    func hasPut(of client: ConnectionID) -> Bool {
        pending.puts.contains { $0.ticket.connection == client }
            || inFlight?.puts.contains { $0.ticket.connection == client } ?? false
    }
}

struct WriteLanes {
    /// Jobs whose reservations are to be written to their rows, or the end of them.
    var annotations: [JobID] = []
    // An array: yielding one of several properties after a `switch` was miscompiled (Swift 6.3.1, optimized).
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
