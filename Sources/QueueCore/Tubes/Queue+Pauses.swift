/// Pauses of tubes. The row of the tube has the pause too, so that it holds at all brokers.
extension Queue {
    mutating func pauseTube(_ slot: Int, _ name: TubeName, seconds: UInt32, now: Instant) {
        guard let tube = tubes.byName[name] else {
            return ask(.tube(name, pause: seconds), for: openReply(slot), now: now)
        }
        ask(.pause(name, seconds: seconds), for: openReply(slot), pinning: tube, now: now)
    }

    mutating func foundTubeToPause(_ ticket: Ticket?, _ name: TubeName, _ row: TubeRow?, seconds: UInt32, now: Instant)
    {
        if let row, row.counts.total > 0, tubes.byName[name] == nil {
            tubes.rows.remember(row.id, name)
            let tube = tube(named: name)
            setCounts(tube, stored: row.counts, heldElsewhere: row.heldElsewhere)
            // Some of the jobs may be in changes of SQL that are still to come: the next heartbeat reads the counts.
            othersCountedSome()
            markForRecount(tube)
        }
        guard let tube = tubes.byName[name] else { return fill(ticket, .notFound) }
        ask(.pause(name, seconds: seconds), for: ticket, pinning: tube, now: now)
    }

    /// The tube's row has been changed.
    mutating func paused(_ tube: Int, seconds: UInt32, now: Instant) {
        tubes[tube].pauses += 1
        tubes[tube].pauseSetAt = now
        setPause(tube, length: Int64(seconds), left: .seconds(seconds), now: now)
    }

    mutating func setPause(_ tube: Int, length: Int64, left: Span, now: Instant) {
        tubes[tube].pause = length
        if left.nanoseconds > 0 {
            tubes[tube].pausedUntil = now + left
            tubes.pauses.tubes.insert(tube)
            tubes.pauses.nextEnd = min(tubes.pauses.nextEnd, now + left)
        } else {
            liftPause(tube, now: now)
        }
        markNews(tube)
    }

    /// What a row that was read at that time says. A pause that was set here since is not in it.
    mutating func learnPause(_ tube: Int, _ row: TubeRow, readAt: Instant, now: Instant) {
        guard tubes[tube].pauseSetAt < readAt else { return }
        let left = Span.microseconds(max(0, row.pauseLeft))
        let known = tubes[tube].pausedUntil.map { $0 - now } ?? Span(nanoseconds: 0)
        // A small difference is the time that the row took to get here.
        guard abs(left.nanoseconds - known.nanoseconds) > Queue.pauseSlack.nanoseconds else { return }
        setPause(tube, length: row.pause, left: left, now: now)
    }

    static let pauseSlack = Span.milliseconds(500)
    /// The longest time between the reading of rows and the call of `learn` with them.
    static let oldestNews = Span.seconds(60)

    private mutating func liftPause(_ tube: Int, now: Instant) {
        tubes[tube].pause = 0
        tubes[tube].pausedUntil = nil
        tubes.pauses.tubes.remove(tube)
        // The poll leaves out paused tubes: jobs that others have put meanwhile are not known.
        schedule.nextPoll = min(schedule.nextPoll, now)
    }

    /// Ends all pauses that are over before serving anybody: a client that waits for several of these tubes is due
    /// the smallest job of them all.
    mutating func endPauses(now: Instant) {
        guard tubes.pauses.nextEnd <= now else { return }
        let over = tubes.pauses.tubes.filter { tubes[$0].pausedUntil.map { $0 <= now } ?? false }.sorted()
        for tube in over { liftPause(tube, now: now) }
        tubes.pauses.nextEnd = tubes.pauses.tubes.reduce(.never) { min($0, tubes[$1].pausedUntil ?? .never) }
        for tube in over { markNews(tube) }
    }
}
