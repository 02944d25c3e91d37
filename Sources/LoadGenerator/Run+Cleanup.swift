#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// After a run nothing of it is left in the server, however it ended.
extension Run {
    /// Connections that delete at once.
    private static let erasers = 4
    /// Time that answers get which are under way when a run is broken off.
    private static let patience: Nanoseconds = 5_000_000_000

    /// Deletes the jobs of a run without workers, unless they are to be kept.
    func eraseUnworked() throws(LoadFailure) {
        guard load.workers == 0, !load.keeps else { return }
        driver.closeAll()
        let missing = try erase()
        // A tube that others work on may have been emptied by them.
        guard missing == 0 || load.tube != nil else {
            throw LoadFailure(
                "\(grouped(missing)) of \(grouped(load.jobs)) jobs are lost: they were acknowledged, and are gone")
        }
    }

    /// Lets what is under way come to its end, deletes what is left, and says whether that was all of it.
    func cleanUp(after failure: LoadFailure) -> LoadFailure {
        state.end()
        let end = monotonicTime() + Self.patience
        while !driver.isAtRest, monotonicTime() < end {
            // Another failure is of no more interest; its connection is gone.
            try? driver.step(until: end)
        }
        driver.closeAll()
        let unanswered = state.schedule.sent - state.ledger.acknowledged - state.refused
        guard !load.keeps, state.schedule.sent > 0 else { return failure }
        do {
            _ = try erase()
        } catch {
            let left = grouped(state.ledger.leftOver.count + unanswered)
            return LoadFailure("\(failure); up to \(left) jobs are left in tube \(tube): \(error)")
        }
        guard unanswered == 0 else {
            return LoadFailure("\(failure); up to \(grouped(unanswered)) jobs are left in tube \(tube)")
        }
        return LoadFailure("\(failure); its jobs are deleted")
    }

    /// Deletes the jobs that the server is known to have, and returns how many of them it did not have.
    private func erase() throws(LoadFailure) -> Int {
        var missing = try erase(state.ledger.leftOver)
        if !missing.isEmpty {
            // A job comes back with the connection that held it, which may not have been noticed yet.
            usleep(300_000)
            missing = try erase(missing)
        }
        return missing.count
    }

    private func erase(_ sequences: [Int]) throws(LoadFailure) -> [Int] {
        defer { driver.closeAll() }
        var clients: [Eraser] = []
        for share in 0..<Self.erasers {
            let jobs = stride(from: share, to: sequences.count, by: Self.erasers).map { sequences[$0] }
            let client = Eraser(state, jobs)
            clients.append(client)
            _ = try driver.connect(client)
        }
        var lastDeleted = -1
        var end: Nanoseconds = 0
        while !driver.isAtRest {
            let now = monotonicTime()
            // As long as it goes on, it may take its time.
            if state.ledger.deleted > lastDeleted {
                lastDeleted = state.ledger.deleted
                end = now + Self.patience
            }
            guard now < end else { throw LoadFailure("the server does not answer deletes") }
            try driver.step(until: end)
        }
        return clients.flatMap(\.missing)
    }
}
