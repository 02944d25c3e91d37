/// Tubes with a policy.
extension Queue {
    /// All policies that exist.
    public mutating func learn(policies all: [TubePolicy]) {
        let before = tubes.policies.all.keys
        tubes.policies.all = Dictionary(uniqueKeysWithValues: all.map { ($0.tube, $0) })
        tubes.policies.keepHistory = all.contains(where: \.keepsHistory)
        for rows in [before, tubes.policies.all.keys] {
            for row in rows {
                if let slot = tubes.byRow[row] { tubes[slot].policy = tubes.policies.all[row] }
            }
        }
    }

    /// Whether a job that has just timed out is buried. That includes one that was over the limit before the limit
    /// was set, or before the job was kicked.
    func isBuriedByTimeouts(_ job: Int) -> Bool {
        guard let limit = tubes[jobs[job].tube].policy?.buryAfterTimeouts else { return false }
        return jobs[job].counters.timeouts >= limit
    }

    /// Whether the release that is being executed buries the job.
    func isBuriedByRelease(_ job: Int) -> Bool {
        guard let limit = tubes[jobs[job].tube].policy?.buryAfterReleases else { return false }
        return jobs[job].counters.releases + 1 >= limit
    }

    /// What is written to the history of a job that is deleted; `nil` if its tube keeps none.
    func ending(of job: Int, isFinished: Bool) -> Ending? {
        guard tubes[jobs[job].tube].policy?.keepsHistory ?? false else { return nil }
        return Ending(
            isFinished: isFinished, counters: jobs[job].counters, reservations: jobs[job].reservations)
    }

    /// Whether the tube accepts no more ready jobs. Puts in flight count. A put with a delay is always accepted.
    func isFull(_ tube: Int) -> Bool {
        guard let limit = tubes[tube].policy?.maxReady else { return false }
        return tubes[tube].jobs.ready + tubes[tube].putsInFlight >= limit
    }
}
