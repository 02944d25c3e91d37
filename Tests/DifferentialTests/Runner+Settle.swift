import Foundation

@testable import TestKit

/// Waits until both servers have done a step, and compares their replies.
extension Runner {
    /// Seconds that Beanrow may take after beanstalkd has replied.
    private static let patience = 4.0

    mutating func settleBeanrow(after step: Step, _ index: Int) throws -> Difference? {
        try awaitBeanrow()
        if let difference = compare(index) { return difference }
        return try compareStates(after: step, index)
    }

    /// beanstalkd serves its connections in turn, one event each. If no client got a reply during some exchanges with
    /// another connection, no reply is left.
    func settleOriginal(after step: Step) throws {
        let side = pair.original
        if case .halfClose(let number) = step, let link = side.links[number] {
            let deadline = Deadline(after: 1)
            while !link.isClosed, deadline.millisecondsLeft > 0 {
                link.wait(milliseconds: Int(deadline.millisecondsLeft))
                link.receive()
            }
        }
        var quiet = 0
        while quiet < 5 {
            _ = try side.control.ask("x\r\n")
            var isNews = false
            for link in side.links.values where link.receive() { isNews = true }
            quiet = isNews ? 0 : quiet + 1
        }
    }

    /// Waits until Beanrow has sent as many replies as beanstalkd.
    private func awaitBeanrow() throws {
        let deadline = Deadline(after: Self.patience)
        for (number, link) in pair.beanrow.links {
            let expected = pair.original.links[number]?.replies.count ?? 0
            link.receive()
            while link.replies.count < expected, deadline.millisecondsLeft > 0 {
                link.wait(milliseconds: Int(min(100, deadline.millisecondsLeft)))
                link.receive()
            }
        }
    }

    private mutating func compare(_ index: Int) -> Difference? {
        for side in pair.sides {
            for number in side.links.keys.sorted() {
                for reply in side.links[number]!.replies.dropFirst(clients[number]!.compared) {
                    side.learn(from: reply, to: number)
                }
            }
        }
        for number in pair.original.links.keys.sorted() {
            let all = pair.sides.map { $0.links[number]!.replies }
            let start = clients[number]!.compared
            for at in start..<max(start, all[0].count, all[1].count) {
                let both = zip(pair.sides, all).map { side, replies in
                    at < replies.count ? side.comparable(replies[at]) : ["(nothing)"]
                }
                guard both[0] == both[1] else { return difference(index, number, both[0], both[1]) }
                replies += 1
                transcript.append("    client \(number) < \(short(both[0]))")
            }
            clients[number]!.compared = all[0].count
        }
        return nil
    }

    /// Some steps get no reply; `stats` shows when both servers have noticed them.
    private mutating func compareStates(after step: Step, _ index: Int) throws -> Difference? {
        switch step {
        case .open, .close, .halfClose, .drain: break
        case .begin, .finish:
            // Nothing shows when the bytes have been read.
            for side in pair.sides { _ = try side.control.ask("x\r\n") }
            Thread.sleep(forTimeInterval: 0.003)
            return nil
        case .send, .pass:
            let hasClosed = pair.original.links.values.contains { $0.isClosed }
            guard hasClosed || clients.values.contains(where: \.mayWait) else { return nil }
        }
        let states = ["ready", "reserved", "delayed", "buried"].map { "current-jobs-\($0)" }
        let keys = ["current-connections", "current-waiting", "draining"] + states
        let deadline = Deadline(after: Self.patience)
        while true {
            let states = try pair.sides.map { side in
                let stats = try side.poll()
                return keys.map { "\($0): \(stats[$0] ?? "missing")" }
            }
            for link in pair.original.links.values { link.receive() }
            // The servers may not have noticed the step yet.
            let connected = 1 + pair.original.links.values.count { !$0.isClosed }
            if states[0] == states[1], states[0][0] == "\(keys[0]): \(connected)",
                states[0][2] == "draining: \(drained)"
            {
                if states[0][1] == "current-waiting: 0" { nobodyWaits() }
                return nil
            }
            guard deadline.millisecondsLeft > 0 else { return difference(index, nil, states[0], states[1]) }
            Thread.sleep(forTimeInterval: 0.002)
        }
    }

    private mutating func nobodyWaits() {
        for number in clients.keys {
            clients[number]!.mayWait = false
            clients[number]!.ahead = 0
        }
    }

    private func difference(_ index: Int, _ client: Int?, _ original: [String], _ beanrow: [String]) -> Difference {
        let name = client.map { "client \($0)" } ?? "stats"
        var lines = transcript
        if original.count == beanrow.count, original.count > 4 {
            for (one, other) in zip(original, beanrow) where one != other {
                lines.append("  ! \(name) < beanstalkd: \(one)")
                lines.append("  ! \(name) < beanrow:    \(other)")
            }
        } else {
            lines.append("  ! \(name) < beanstalkd: \(original.joined(separator: " | "))")
            lines.append("  ! \(name) < beanrow:    \(beanrow.joined(separator: " | "))")
        }
        return Difference(
            step: index, client: client, original: original, beanrow: beanrow, transcript: lines, replies: replies)
    }

    private func short(_ lines: [String]) -> String {
        lines.count > 4 ? "\(lines[0]) | \(lines[1]) | ... (\(lines.count) lines)" : lines.joined(separator: " | ")
    }
}
