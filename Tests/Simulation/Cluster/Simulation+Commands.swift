@testable import QueueCore

extension Simulation {
    /// Mostly a sensible command.
    func randomCommand(of client: RemoteClient) -> Command {
        let tube = random.pick(profile.tubes)
        switch random.below(100) {
        case 0..<26: return randomPut()
        case 26..<35: return .reserveWithTimeout(seconds: 0)
        case 35..<40: return .reserveWithTimeout(seconds: UInt32(random.within(1...4)))
        case 40..<47: return .reserve
        case 47..<66: return randomChange(of: client)
        case 66..<69: return .kick(bound: UInt32(random.below(4)))
        case 69..<72: return .kickJob(randomID(of: nil))
        case 72..<75: return .reserveJob(randomID(of: nil))
        case 75..<78: return .use(tube)
        case 78..<84: return .watch(tube)
        case 84..<86: return .ignore(tube)
        case 86..<88: return .pauseTube(tube, seconds: UInt32(random.below(3)))
        case 88..<90: return .peek(randomID(of: nil))
        case 90..<93: return random.pick([.peekReady, .peekDelayed, .peekBuried])
        case 93..<96: return .statsJob(randomID(of: nil))
        case 96..<98: return .statsTube(tube)
        default: return random.pick([.stats, .listTubes, .listTubeUsed, .listTubesWatched])
        }
    }

    private func randomPut() -> Command {
        let (priority, delay) = (UInt32(random.below(10)), random.percent(20) ? UInt32(random.within(1...3)) : 0)
        let job = NewJob(priority: priority, delay: delay, ttr: UInt32(random.below(6)), body: nextBody())
        guard profile.usesKeys, random.percent(40) else { return .put(job) }
        return .putUnique(key: random.pick(["a", "b"]), job)
    }

    private func randomChange(of client: RemoteClient) -> Command {
        let id = randomID(of: client)
        switch random.below(10) {
        case 0..<4:
            client.forgets(id)
            return .delete(id)
        case 4..<7:
            client.forgets(id)
            return .release(
                id, priority: UInt32(random.below(10)), delay: random.percent(30) ? UInt32(random.within(1...3)) : 0)
        case 7..<9:
            client.forgets(id)
            return .bury(id, priority: UInt32(random.below(10)))
        default: return .touch(id)
        }
    }

    /// The id of a job in the database; mostly one that the client holds.
    private func randomID(of client: RemoteClient?) -> JobID {
        if let client, !client.held.isEmpty, random.percent(85) { return random.pick(client.held) }
        // Some ids were never given, or belong to deleted jobs.
        for _ in 0..<4 {
            let id = JobID(1 + random.below(max(1, Int(database.lastID))))
            if database.rows[id] != nil { return id }
        }
        return JobID(1 + random.below(40))
    }
}
