@testable import QueueCore

extension History {
    /// Mostly a sensible one.
    func randomCommand(of client: Client) -> Command {
        let tube = tubes.randomElement(using: &random)!
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<25: return randomPut()
        case 25..<33: return .reserveWithTimeout(seconds: 0)
        case 33..<38: return .reserveWithTimeout(seconds: UInt32.random(in: 1...4, using: &random))
        case 38..<45: return .reserve
        case 45..<62: return randomChange(of: client)
        case 62..<66: return .kick(bound: UInt32.random(in: 0...3, using: &random))
        case 66..<70: return .kickJob(randomID(of: nil))
        case 70..<74: return .reserveJob(randomID(of: nil))
        case 74..<77: return .use(tube)
        case 77..<82: return .watch(tube)
        case 82..<85: return .ignore(tube)
        case 85..<88: return .pauseTube(tube, seconds: UInt32.random(in: 0...3, using: &random))
        case 88..<90: return .peek(randomID(of: nil))
        case 90..<93: return [.peekReady, .peekDelayed, .peekBuried].randomElement(using: &random)!
        case 93..<96: return .statsJob(randomID(of: nil))
        case 96..<98: return .statsTube(tube)
        default: return .stats
        }
    }

    private func randomPut() -> Command {
        let delay = chance(20) ? UInt32.random(in: 1...3, using: &random) : 0
        let body = Body(repeating: 7, count: Int.random(in: 0...300, using: &random))
        return .put(
            priority: UInt32.random(in: 0...9, using: &random), delay: delay,
            ttr: UInt32.random(in: 0...5, using: &random), body: body)
    }

    private func randomChange(of client: Client) -> Command {
        let id = randomID(of: client)
        switch Int.random(in: 0..<10, using: &random) {
        case 0..<4: return .delete(id)
        case 4..<7:
            return .release(
                id, priority: UInt32.random(in: 0...9, using: &random),
                delay: chance(30) ? UInt32.random(in: 1...3, using: &random) : 0)
        case 7..<9: return .bury(id, priority: UInt32.random(in: 0...9, using: &random))
        default: return .touch(id)
        }
    }

    /// Of a job in the database; mostly one that the client holds.
    private func randomID(of client: Client?) -> JobID {
        if let client, chance(80) {
            let held = world.queue.jobSlots.filter { id, slot in
                world.queue.jobs[slot].phase == .held && world.queue.jobs[slot].owner == client.id.slot
            }
            if let id = held.keys.sorted().randomElement(using: &random) { return id }
        }
        return world.database.rows.keys.sorted().randomElement(using: &random) ?? 1
    }
}
