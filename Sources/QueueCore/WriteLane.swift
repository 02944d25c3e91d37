/// What a write does. Puts and changes of jobs go to the database on two ways at once: neither needs to wait for the
/// other, since a job is changed only after its put has committed. Within each, batches keep their order.
public enum WriteKind: Int, CaseIterable, Sendable {
    /// New jobs.
    case puts
    /// Changes of jobs that this broker holds the lease of.
    case changes
}

/// Writes of one kind: those that collect, and the batch of them that is being committed.
struct WriteLane {
    var pending = WriteBatch(epoch: 0)
    var inFlight: WriteBatch?
    var inFlightSince = Instant.never
    /// Fewer operations than this are not worth waking the writer for; it comes by itself a moment later.
    var wanted = 0

    var isIdle: Bool { inFlight == nil && pending.isEmpty }
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

    var changes: WriteLane {
        _read { yield lanes[WriteKind.changes.rawValue] }
        _modify { yield &lanes[WriteKind.changes.rawValue] }
    }
}
