/// The deadlines of held jobs. Each job is in the heap twice in turn: first with the time at which its client is to
/// be warned, then with its deadline.
///
/// So whether a client has a deadline close by is a count, however many jobs it holds.
extension Queue {
    /// How close to a deadline a client is warned instead of being given another job
    /// (beanstalkd's doc/protocol.txt, Worker Commands).
    static let deadlineMargin = Span.seconds(1)

    func isDeadlineSoon(_ slot: Int) -> Bool { connections[slot].dueSoon > 0 }

    /// The client that holds the job may keep it until then.
    mutating func setDeadline(_ job: Int, _ deadline: Instant, now: Instant) {
        jobs[job].deadline = deadline
        setDueSoon(job, deadline <= now + Queue.deadlineMargin)
        let key = jobs[job].isDueSoon ? deadline : deadline - Queue.deadlineMargin
        if jobs[job].heapPosition >= 0 {
            jobs.deadlines.update(at: Int(jobs[job].heapPosition), key: key, in: &jobs.table)
        } else {
            jobs.deadlines.insert(job, key: key, in: &jobs.table)
        }
    }

    /// The job is about to leave its client.
    mutating func clearDeadline(_ job: Int) {
        setDueSoon(job, false)
        jobs.deadlines.remove(at: Int(jobs[job].heapPosition), in: &jobs.table)
    }

    private mutating func setDueSoon(_ job: Int, _ isSoon: Bool) {
        guard jobs[job].isDueSoon != isSoon else { return }
        jobs[job].isDueSoon = isSoon
        connections[jobs[job].owner].dueSoon += isSoon ? 1 : -1
    }

    mutating func deadlinesCame(now: Instant) {
        while let first = jobs.deadlines.min, first.key <= now {
            if jobs[first.slot].isDueSoon {
                expire(first.slot, now: now)
                conclude(now: now)
            } else {
                setDueSoon(first.slot, true)
                jobs.deadlines.update(at: 0, key: jobs[first.slot].deadline, in: &jobs.table)
                hasten(jobs[first.slot].owner, now: now)
            }
        }
    }

    /// The job's time to run is over.
    private mutating func expire(_ job: Int, now: Instant) {
        activity.jobTimeouts += 1
        note(jobs[job].tube) { $0.timeouts += 1 }
        jobs[job].counters.timeouts &+= 1
        unhold(job)
        if isBuriedByTimeouts(job) {
            changeState(of: job, to: .buried, keepsLease: false, counting: { $0.buries &+= 1 }, now: now)
        } else {
            annotate(job)
            giveBack(job, now: now)
        }
    }
}
