import DequeModule

/// What has been counted in a tube. A tube gets a log when there is something to count, so that an idle one costs nothing.
struct TubeLog: Vacatable {
    /// Since the tube came into being.
    var activity = TubeActivity()
    /// The part of it that `takeActivity` has told.
    var told = TubeActivity()
    /// Slot of the tube.
    var tube = -1
    /// The log is in `Activity.logsToTell`.
    var isMarked = false

    mutating func vacate() { self = TubeLog() }
}

/// What has happened in a tube since it was last told.
public struct ActivityChange: Sendable {
    /// Its number in PostgreSQL; `nil` if its row was lost meanwhile.
    public var tube: TubeID?
    public var name: TubeName
    public var activity: TubeActivity

    public init(tube: TubeID?, name: TubeName, activity: TubeActivity) {
        self.tube = tube
        self.name = name
        self.activity = activity
    }
}

extension Queue {
    /// How many tubes that are gone are remembered until they are told. What more of them did is not told.
    static let maxGoneActivity = 10_000

    /// Counts something in a tube. The closure is inlined: a few integer operations.
    @inline(__always)
    mutating func note(_ tube: Int, _ count: (inout TubeActivity) -> Void) {
        var log = tubes[tube].log
        if log < 0 {
            log = activity.logs.insert(TubeLog())
            activity.logs[log].tube = tube
            tubes[tube].log = log
        }
        count(&activity.logs[log].activity)
        if !activity.logs[log].isMarked {
            activity.logs[log].isMarked = true
            activity.logsToTell.append(log)
        }
    }

    mutating func notePut(_ tube: Int, _ job: NewJob) {
        note(tube) {
            $0.puts += 1
            $0.bodyBytes += UInt64(job.body.count)
        }
    }

    /// A client has been given the job.
    @inline(__always)
    mutating func noteReserve(of job: Int, now: Instant) {
        // The counter of the job has this reserve already.
        let isFirst = jobs[job].counters.reserves == 1
        let created = jobs[job].created
        note(jobs[job].tube) {
            $0.reserves += 1
            if isFirst { $0.waited.add(now - created) }
        }
    }

    /// The job has been deleted; a client that held it did so at `issued`.
    mutating func noteDelete(of job: Int, wasHeld: Bool, issued: Instant) {
        let since = jobs[job].reservations.last
        note(jobs[job].tube) {
            $0.deletes += 1
            if wasHeld, since != .never { $0.worked.add(issued - since) }
        }
    }

    /// The job's change has committed and is about to be taken over.
    mutating func note(_ change: StateChange) {
        let before = jobs[change.slot].counters
        let (releases, buries) = (change.counters.releases &- before.releases, change.counters.buries &- before.buries)
        guard releases != 0 || buries != 0 else { return }
        note(jobs[change.slot].tube) {
            $0.releases += UInt64(releases)
            $0.buries += UInt64(buries)
        }
    }

    mutating func noteKicks(_ readied: [Readied]) {
        for group in readied {
            if let tube = tubes.byRow[group.tube] { note(tube) { $0.kicks += UInt64(max(0, group.count)) } }
        }
    }

    /// SQL sessions have put jobs and finished them before this broker knew of the tube.
    mutating func noteWithoutTube(_ change: SQLChange) {
        guard change.puts > 0 || change.deletes > 0, activity.gone.count < Queue.maxGoneActivity else { return }
        var done = TubeActivity()
        done.puts = change.puts
        done.deletes = change.deletes
        activity.gone.append(ActivityChange(tube: change.tube.id, name: change.tube.name, activity: done))
    }

    /// The tube is about to be removed.
    mutating func endLog(of tube: Int) {
        let log = tubes[tube].log
        guard log >= 0 else { return }
        if activity.logs[log].isMarked, activity.gone.count < Queue.maxGoneActivity {
            activity.gone.append(untold(log))
        }
        activity.logs.remove(log)
        tubes[tube].log = -1
        // The entry of the log is stale now.
        if activity.logsToTell.count > 2 * activity.logs.count + 1024 {
            activity.logsToTell = Deque(activity.logsToTell.filter { activity.logs[$0].isMarked })
        }
    }

    private func untold(_ log: Int) -> ActivityChange {
        let tube = activity.logs[log].tube
        return ActivityChange(
            tube: tubes[tube].row, name: tubes[tube].name,
            activity: activity.logs[log].activity - activity.logs[log].told)
    }

    /// How many changes `takeActivity` has to tell, about.
    public var untoldActivity: Int { activity.gone.count + activity.logsToTell.count }

    /// What has happened since this was last told, in up to `limit` tubes; fewer when no more is left. A tube that has
    /// come and gone may be there more than once.
    public mutating func takeActivity(limit: Int) -> [ActivityChange] {
        var taken = Array(activity.gone.prefix(limit))
        activity.gone.removeFirst(taken.count)
        while taken.count < limit, let log = activity.logsToTell.popFirst() {
            guard activity.logs[log].isMarked else { continue }
            taken.append(untold(log))
            activity.logs[log].told = activity.logs[log].activity
            activity.logs[log].isMarked = false
        }
        return taken
    }
}

extension TubeActivity {
    /// What has come to pass between two moments, of which `a` is the later one.
    public static func - (a: TubeActivity, b: TubeActivity) -> TubeActivity {
        var change = TubeActivity()
        change.puts = a.puts - b.puts
        change.reserves = a.reserves - b.reserves
        change.deletes = a.deletes - b.deletes
        change.releases = a.releases - b.releases
        change.buries = a.buries - b.buries
        change.kicks = a.kicks - b.kicks
        change.timeouts = a.timeouts - b.timeouts
        change.bodyBytes = a.bodyBytes - b.bodyBytes
        change.waited = a.waited - b.waited
        change.worked = a.worked - b.worked
        return change
    }

    public static func += (a: inout TubeActivity, b: TubeActivity) {
        a.puts += b.puts
        a.reserves += b.reserves
        a.deletes += b.deletes
        a.releases += b.releases
        a.buries += b.buries
        a.kicks += b.kicks
        a.timeouts += b.timeouts
        a.bodyBytes += b.bodyBytes
        a.waited += b.waited
        a.worked += b.worked
    }
}
