#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// Leaves no job of the run in the server, however the run ended.
extension Run {
    /// The number of connections that delete.
    private static let erasers = 4
    /// How long a stopped run waits for outstanding answers, and for the next delete to be answered.
    private static let answerTimeout: Nanoseconds = 5_000_000_000

    /// Deletes the jobs of a run without workers, unless they are to be kept.
    /// - Throws: `LoadFailure` if some of them are lost.
    func eraseUnworked() throws(LoadFailure) {
        guard load.workers == 0, !load.keeps else { return }
        driver.closeAll()
        let missing = try erase()
        // A tube that the user has named may have other workers, which have taken the jobs.
        guard missing == 0 || load.tube != nil else {
            throw LoadFailure(
                "\(grouped(missing)) of \(grouped(load.jobs)) jobs are lost: they were acknowledged, and are gone")
        }
    }

    /// Waits for outstanding answers and deletes the jobs that are left.
    /// - Returns: The failure, with a sentence about jobs that may still be there.
    func cleanUp(after failure: LoadFailure) -> LoadFailure {
        state.end()
        let end = monotonicTime() + Self.answerTimeout
        while !driver.isAtRest, monotonicTime() < end {
            // A further failure does not matter: its connection is closed.
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

    /// Deletes the jobs that the server is known to have.
    /// - Returns: The number of them that the server did not have.
    private func erase() throws(LoadFailure) -> Int {
        var missing = try erase(state.ledger.leftOver)
        if !missing.isEmpty {
            // A reserved job becomes ready when the server notices that its connection is closed.
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
            _ = try driver.connect(client, to: target.addresses.inTurn(share))
        }
        var lastDeleted = -1
        var end: Nanoseconds = 0
        while !driver.isAtRest {
            let now = monotonicTime()
            // Only a stop of all deletes counts against the time limit.
            if state.ledger.deleted > lastDeleted {
                lastDeleted = state.ledger.deleted
                end = now + Self.answerTimeout
            }
            guard now < end else { throw LoadFailure("the server does not answer deletes") }
            try driver.step(until: end)
        }
        return clients.flatMap(\.missing)
    }
}
