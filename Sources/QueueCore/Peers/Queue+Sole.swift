/// Alone on its database a broker does not write its leases.
///
/// A broker that is told to be the sole one (`broker.is_sole`) has the lease of every job that no lease of a living
/// broker is on, without a row saying so: others that come do not touch a job before it has given that up. So a backlog
/// is read, not updated. When another broker has come, the leases that are in use are written, in one transaction with
/// the end of being sole, and what was merely cached is forgotten.
enum Sharing {
    /// Every lease is in its row.
    case shared
    case sole
    /// No more; the leases in use are being written.
    case ending
}

extension Queue {
    /// Whether the keeper should ask the database for it: only while nothing of it is under way here.
    public var wantsSole: Bool { epoch != 0 && sharing == .shared && isAlone }

    /// The database says so, and others respect it from now on. What those that are gone had leased lies anywhere in
    /// the tubes: they are read anew.
    public mutating func becameSole(now: Instant) {
        guard epoch != 0, sharing == .shared else { return }
        sharing = .sole
        lowerAllHorizons()
        // SQL sessions may have come since it was asked for.
        if !isAlone { endSole(isWritten: true, now: now) }
        matchAll(now: now)
    }

    /// `isWritten`: the broker's row says so, for which others wait; it does also when the answer to that was lost.
    mutating func endSole(isWritten: Bool, now: Instant) {
        if sharing == .shared, isWritten { sharing = .ending }
        guard sharing == .sole else { return }
        sharing = .ending
        // What others do from here on is seen by what has changed; what came before, all at once.
        isFullRecountDue = true
        for slot in active {
            if tubes[slot].cache.isRefilling, tubes[slot].cache.isReading { tubes[slot].cache.isVoid = true }
            for entry in tubes[slot].cache.heap.entries where jobs[entry.slot].isImplicit {
                uncache(entry.slot)
                forgetImplicit(entry.slot)
            }
            tubeReleased(slot, now: now)
        }
        for (id, entry) in undecided {
            guard let row = entry.row, row.lease != epoch else { continue }
            if let tube = tubeSlotsByRow[row.tube] { tubes[tube].cache.lowerHorizon(to: row.key) }
            undecided[id]?.row = nil
        }
    }

    /// Forgets a job that has been taken out of the cache and whose row has no lease: nobody is told, since nobody
    /// knew.
    mutating func forgetImplicit(_ job: Int) {
        tubes[jobs[job].tube].cache.lowerHorizon(to: jobs[job].key)
        forget(job)
    }

    /// The batch that ends it: alone in its transaction, ahead of every change that needs one of these leases.
    mutating func endOfSole() -> WriteBatch {
        var batch = WriteBatch(epoch: epoch)
        batch.endsSole = true
        for (id, job) in jobSlots where jobs[job].isImplicit {
            jobs[job].isImplicit = false
            batch.leases.append(id)
        }
        // In the order in which everybody locks rows.
        batch.leases.sort()
        return batch
    }

    mutating func soleHasEnded(now: Instant) {
        guard sharing == .ending else { return }
        sharing = .shared
        matchAll(now: now)
    }

    /// It is tried again.
    mutating func soleHasNotEnded(_ leases: [JobID]) {
        for id in leases {
            if let job = jobSlots[id] { jobs[job].isImplicit = true }
        }
    }

    /// Jobs of a tube whose rows look free and are not.
    func implicitlyHeld(in tube: Int) -> [JobID] {
        guard sharing != .shared else { return [] }
        let held: [JobID] = jobSlots.compactMap { id, job in
            jobs[job].isImplicit && jobs[job].tube == tube && jobs[job].phase != .cached ? id : nil
        }
        return held.sorted()
    }
}
