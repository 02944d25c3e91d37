@testable import QueueCore

/// The batch that a writer of the store has in hand, done in one part or in several, like PostgresStore's Writer.
struct WriterParts {
    let kind: WriteKind
    /// The parts that are left, the next one last.
    private var parts: [WriteBatch] = []
    private var done: [(batch: WriteBatch, outcome: WriteOutcome)] = []

    init(_ kind: WriteKind) { self.kind = kind }

    var next: WriteBatch? { parts.last }
    var isIdle: Bool { parts.isEmpty && done.isEmpty }
    /// Whether all parts have been done and the broker has to be told.
    var isDone: Bool { parts.isEmpty && !done.isEmpty }

    /// - Returns: whether there was something to take.
    mutating func take(from queue: inout Queue, atLeast count: Int = 1, now: Instant) -> Bool {
        guard let batch = queue.takeWrites(kind, atLeast: count, now: now) else { return false }
        parts = [batch]
        return true
    }

    /// The outcome of the next part. A part that was refused is done in halves.
    mutating func settle(_ outcome: WriteOutcome) {
        let part = parts.removeLast()
        if case .refused(.failed) = outcome, part.count > 1, !part.endsSole {
            let (first, second) = part.halves
            parts += [second, first]
        } else {
            done.append((part, outcome))
        }
    }

    mutating func finish(_ queue: inout Queue, now: Instant) {
        let told = done
        done = []
        queue.finish(kind, told, now: now)
    }
}
