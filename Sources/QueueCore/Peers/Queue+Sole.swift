/// Whether this broker writes its leases (docs/ARCHITECTURE.md, The sole broker).
///
/// A sole broker (`broker.is_sole`) has the lease of every job that no living broker has leased, and the rows do not
/// say so. Other brokers that register touch no job until it has given that up. So a backlog is read, not updated.
/// When another broker has come, the leases in use are written, in one transaction with the end of `is_sole`. Jobs
/// that were merely cached are forgotten.
enum Sharing {
    /// Every lease is in its row.
    case shared
    case sole
    /// The broker is the sole one no more, and the leases in use are being written.
    case ending
}

extension Queue {
    /// Whether the keeper should ask the database to make this broker the sole one.
    public var wantsSole: Bool { epoch != 0 && sharing == .shared && isAlone }

    /// The database has made this broker the sole one. Jobs that dead brokers had leased may lie anywhere in the
    /// tubes, so these are read anew.
    public mutating func becameSole(now: Instant) {
        guard epoch != 0, sharing == .shared else { return }
        membership.sharing = .sole
        lowerAllHorizons()
        // SQL sessions may have come since the keeper asked.
        if !isAlone { endSole(isWritten: true) }
        markNewsOfAll()
        conclude(now: now)
    }

    /// `isWritten`: the broker's row says that it is the sole one, and others wait for the end of that. The row may
    /// say so also when the answer to the request was lost.
    mutating func endSole(isWritten: Bool) {
        if sharing == .shared, isWritten { membership.sharing = .ending }
        guard sharing == .sole else { return }
        membership.sharing = .ending
        // What others change from here on is found as changes; what they changed before, only by reading everything
        // once.
        tubes.recount.isFullDue = true
        for slot in tubes.active {
            if tubes[slot].cache.isRefilling, tubes[slot].cache.isReading { tubes[slot].cache.isVoid = true }
            for entry in tubes[slot].cache.heap.entries where jobs[entry.slot].isImplicit {
                uncache(entry.slot)
                forgetImplicit(entry.slot)
            }
        }
        for (id, entry) in jobs.undecided {
            guard let row = entry.row, row.lease != epoch else { continue }
            if let tube = tubes.byRow[row.tube] { tubes[tube].cache.lowerHorizon(to: row.key) }
            jobs.undecided[id]?.row = nil
        }
    }

    /// Forgets a job that has been taken out of the cache and whose row has no lease. Nobody is told, since nobody
    /// knew of the lease.
    mutating func forgetImplicit(_ job: Int) {
        tubes[jobs[job].tube].cache.lowerHorizon(to: jobs[job].key)
        forget(job)
    }

    /// The batch that ends being the sole one. It is alone in its transaction, before every change that needs one of
    /// its leases.
    mutating func endOfSole() -> WriteBatch {
        var batch = WriteBatch(epoch: epoch)
        batch.endsSole = true
        for (id, job) in jobs.byID where jobs[job].isImplicit {
            jobs[job].isImplicit = false
            batch.leases.append(id)
        }
        // Everybody locks rows in the order of their ids.
        batch.leases.sort()
        return batch
    }

    mutating func soleHasEnded() {
        guard sharing == .ending else { return }
        membership.sharing = .shared
        markNewsOfAll()
    }

    /// The batch is tried again.
    mutating func soleHasNotEnded(_ leases: [JobID]) {
        for id in leases {
            if let job = jobs.byID[id] { jobs[job].isImplicit = true }
        }
    }

    /// Jobs of a tube whose rows look free although this broker has them.
    func implicitlyHeld(in tube: Int) -> [JobID] {
        guard sharing != .shared else { return [] }
        let held: [JobID] = jobs.byID.compactMap { id, job in
            jobs[job].isImplicit && jobs[job].tube == tube && !jobs[job].isCached ? id : nil
        }
        return held.sorted()
    }
}
