/// Batches of writes, as the writers take them.
extension Queue {
    /// Whether no client waits for a write or a query any more.
    public var isSettled: Bool {
        WriteKind.allCases.allSatisfy { lanes[$0].isIdle } && puts.waiting.isEmpty && queries.inFlight.isEmpty
            && connections.closing.isEmpty && !queries.waiting.contains { $0.ticket != nil }
            && queries.postponed.isEmpty
    }

    /// Whether the writer of this kind has something to take.
    func hasWrites(_ kind: WriteKind) -> Bool {
        guard epoch != 0, lanes[kind].inFlight == nil else { return false }
        if kind == .changes, sharing == .ending { return true }
        guard lanes[kind].pending.count >= lanes[kind].wakeThreshold else { return false }
        if kind == .largePuts { return lanes.largePuts.pending.puts.first.map { !isBehindOthers($0) } ?? false }
        return !lanes[kind].pending.isEmpty || kind == .changes && (!lanes.annotations.isEmpty || sql.answer != nil)
    }

    /// Everything of a kind that has collected, as one transaction. The next batch is given out when this one has been
    /// finished.
    ///
    /// `atLeast`: how many operations are worth a transaction. While there are fewer, the result is `nil`, and
    /// `hasWrites` is `false` until there are so many.
    public mutating func takeWrites(_ kind: WriteKind, atLeast count: Int = 1, now: Instant) -> WriteBatch? {
        lanes[kind].wakeThreshold = count > 1 ? count : 0
        guard hasWrites(kind) else { return nil }
        lanes[kind].wakeThreshold = 0
        let batch = kind == .changes && sharing == .ending ? endOfSole() : takePending(kind, now: now)
        guard !batch.isEmpty else { return nil }
        tubes.recount.isAlone = false
        lanes[kind].inFlight = batch
        lanes[kind].inFlightSince = now
        return batch
    }

    private mutating func takePending(_ kind: WriteKind, now: Instant) -> WriteBatch {
        var batch = WriteBatch(epoch: epoch)
        swap(&batch, &lanes[kind].pending)
        batch.epoch = epoch
        batch.isSole = sharing == .sole
        switch kind {
        case .puts where puts.pendingBytes <= configuration.maxBatchBytes: break
        case .puts, .largePuts: splitPuts(of: &batch, kind)
        case .changes:
            batch.annotations = takeAnnotations(now: now)
            batch.answer = sql.answer
            sql.answer = nil
        }
        return batch
    }

    /// Leaves for the next batch the puts that are over the limit of bytes or must wait for others.
    private mutating func splitPuts(of batch: inout WriteBatch, _ kind: WriteKind) {
        var bytes = 0
        let cut = batch.puts.firstIndex { put in
            bytes += put.job.body.count
            return bytes > configuration.maxBatchBytes && bytes > put.job.body.count
                || kind == .largePuts && isBehindOthers(put)
        }
        if let cut {
            lanes[kind].pending.puts = Array(batch.puts[cut...])
            batch.puts.removeSubrange(cut...)
        }
    }

    // MARK: Annotations

    /// Writes a reservation to the job's row, unless it is there already or has ended.
    mutating func annotateReservation(_ id: JobID) {
        if let job = jobs.byID[id], jobs[job].isHeld, !jobs[job].isAnnotated { annotate(job) }
    }

    /// Writes a job's reservation, or the end of it, to the row.
    mutating func annotate(_ job: Int) {
        guard !jobs[job].needsAnnotation else { return }
        jobs[job].needsAnnotation = true
        lanes.annotations.append(jobs[job].key.id)
    }

    private mutating func takeAnnotations(now: Instant) -> [Annotation] {
        guard !lanes.annotations.isEmpty else { return [] }
        var taken: [Annotation] = []
        for id in lanes.annotations {
            guard let job = jobs.byID[id], jobs[job].needsAnnotation else { continue }
            jobs[job].needsAnnotation = false
            // The change of a settling job writes the whole row.
            guard !jobs[job].isSettling else { continue }
            var reserved: (since: Int64, left: Int64)?
            if jobs[job].isHeld {
                reserved = ((now - jobs[job].reservations.last).microseconds, (jobs[job].deadline - now).microseconds)
            }
            jobs[job].isAnnotated = reserved != nil
            taken.append(
                Annotation(
                    id: id, reserved: reserved, counters: jobs[job].counters,
                    reservations: jobs[job].reservations, wasImplicit: jobs[job].isImplicit))
            jobs[job].isImplicit = false
        }
        lanes.annotations.removeAll(keepingCapacity: true)
        return taken
    }
}
