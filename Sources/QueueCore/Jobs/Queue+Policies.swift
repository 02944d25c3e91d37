/// What tubes with a policy do differently.
extension Queue {
    /// All policies that there are.
    public mutating func learn(policies all: [TubePolicy]) {
        let before = policies.keys
        policies = Dictionary(uniqueKeysWithValues: all.map { ($0.tube, $0) })
        keepsHistory = all.contains(where: \.keepsHistory)
        for rows in [before, policies.keys] {
            for row in rows {
                if let slot = tubeSlotsByRow[row] { tubes[slot].policy = policies[row] }
            }
        }
    }

    /// Whether a job that has just timed out goes to the buried ones, as one that its workers do not survive. Also one
    /// that was over the limit before the limit was there, or before it was kicked.
    func isBuriedByTimeouts(_ job: Int) -> Bool {
        guard let limit = tubes[jobs[job].tube].policy?.buryAfterTimeouts else { return false }
        return jobs[job].counters.timeouts >= limit
    }

    /// Whether the release at hand is the last one.
    func isBuriedByRelease(_ job: Int) -> Bool {
        guard let limit = tubes[jobs[job].tube].policy?.buryAfterReleases else { return false }
        return jobs[job].counters.releases + 1 >= limit
    }

    /// What goes into the history of a job that is deleted; nothing when its tube keeps none.
    func ending(of job: Int, isFinished: Bool) -> Ending? {
        guard tubes[jobs[job].tube].policy?.keepsHistory ?? false else { return nil }
        return Ending(
            isFinished: isFinished, counters: jobs[job].counters, reservations: jobs[job].reservations)
    }

    /// Whether a tube takes no more jobs, with those that are on their way to it. One with a delay comes in.
    func isFull(_ tube: Int) -> Bool {
        guard let limit = tubes[tube].policy?.maxReady else { return false }
        return tubes[tube].jobs.ready + tubes[tube].putsInFlight >= limit
    }
}
