import Foundation

@testable import TestKit

/// What came of running a history.
enum Outcome {
    /// The replies that were compared.
    case same(replies: Int)
    case different(Difference)
    /// The machine was too slow, or a guess at an id was wrong.
    case inconclusive(String)
}

/// Where the servers parted ways.
struct Difference {
    /// The index of the step after which they did.
    var step: Int
    var client: Int?
    var original: [String]
    var beanrow: [String]
    /// All that was done and replied until then.
    var transcript: [String]
    var replies: Int

    /// What tells one difference from another while a history shrinks: the first words that differ.
    var kind: String {
        let pairs = zip(original, beanrow).first { $0 != $1 }
        return "\(pairs?.0 ?? original.last ?? "") / \(pairs?.1 ?? beanrow.last ?? "")".filter { !$0.isNumber }
    }
}

/// Runs one history on both servers, step by step.
struct Runner {
    struct Client {
        /// Everything it may have watched since it connected.
        var watched: Set<String> = ["default"]
        /// It has sent a command that may wait, and nothing shows that the wait is over.
        var mayWait = false
        /// How often it has sent more behind such a command.
        var ahead = 0
        /// It has asked for jobs by their ids.
        var takesByID = false
        /// What it has not sent yet of a message, for each server.
        var rest: [[UInt8]] = []
        var hasHalfClosed = false
        var compared = 0
    }

    let pair: Pair
    private let predicts: Bool
    let avoids: Bool
    var clients: [Int: Client] = [:]
    var transcript: [String] = []
    var replies = 0
    var drained = false

    /// `predicts`: commands may use the id of a job whose put is in the same packet. `avoids`: what would only show an
    /// intended difference is done otherwise.
    init(_ pair: Pair, predicts: Bool = true, avoids: Bool = true) {
        self.pair = pair
        self.predicts = predicts
        self.avoids = avoids
    }

    /// - Returns: the outcome; the servers are as the history left them.
    mutating func run(_ history: History) throws -> Outcome {
        try pair.begin()
        let rounds = min(history.pauses + 1, Clock.maxRounds)
        var clock = Clock(rounds: rounds)
        var round = 1
        for (index, step) in history.steps.enumerated() {
            let next = index + 1 < history.steps.count ? history.steps[index + 1] : nil
            for part in parts(of: step) {
                if case .pass(let seconds) = part {
                    round += 1
                    guard round <= Clock.maxRounds else { continue }
                    guard clock.isInWindow else { return .inconclusive("too slow") }
                    clock.pass(seconds: seconds) { nudge() }
                    transcript.append("-- \(part)")
                } else if try !perform(part) {
                    continue
                }
                if case .open = part, case .open = next { continue }
                try settleOriginal(after: part)
                // Not later: Beanrow may be about to take its time for what it never does.
                let isInWindow = clock.isInWindow
                let difference = try settleBeanrow(after: part, index)
                guard !pair.sides.contains(where: \.wasMispredicted) else { return .inconclusive("mispredicted") }
                if let difference { return isInWindow ? .different(difference) : .inconclusive("too slow") }
            }
        }
        return clock.isInWindow ? .same(replies: replies) : .inconclusive("too slow")
    }

    /// Whether a client has sent more than has been done: no telling what becomes of it when the client goes.
    var hasUnfinished: Bool {
        clients.values.contains { $0.mayWait && $0.ahead > 0 }
    }

    // MARK: Doing

    /// beanstalkd 1.12 often forgets a reservation that runs out while its client is silent: its tick comes in the same
    /// microsecond as the deadline, which does not count as over yet, and no other one is planned. A client that says
    /// something makes it look again.
    private func nudge() {
        for (number, client) in clients where client.rest.isEmpty && !client.hasHalfClosed {
            for side in pair.sides { side.links[number]!.send("x\r\n".utf8) }
        }
    }

    /// - Returns: false where the step makes no sense now, as happens when a history shrinks.
    private mutating func perform(_ step: Step) throws -> Bool {
        switch step {
        case .open(let number):
            guard clients[number] == nil else { return false }
            clients[number] = Client()
            for side in pair.sides { side.links[number] = try Link(side.server.address) }
        case .send(let number, let messages, let cuts):
            guard maySend(number) else { return false }
            let allowed = messages.map { permitted($0, from: number) }
            let all = pair.sides.map { $0.render(allowed, from: number, predicts: predicts) }
            transcript.append("\(Step.send(number, allowed, cuts: cuts))")
            try send(all, from: number, cuts: clients[number]!.ahead > 0 ? [] : cuts)
            if avoids, allowed.contains(where: \.delays) { Thread.sleep(forTimeInterval: 0.03) }
            return true
        case .begin(let number, let message, let thousandths):
            guard maySend(number) else { return false }
            let allowed = permitted(message, from: number)
            let all = pair.sides.map { $0.render([allowed], from: number, predicts: predicts) }
            let starts = all.map { $0.prefix($0.count * thousandths / 1000) }
            clients[number]!.rest = zip(all, starts).map { Array($0[$1.count...]) }
            transcript.append("\(step)")
            try send(starts.map { Array($0) }, from: number, cuts: [])
            return true
        case .finish(let number):
            guard let client = clients[number], !client.rest.isEmpty else { return false }
            clients[number]!.rest = []
            transcript.append("\(step)")
            try send(client.rest, from: number, cuts: [])
            return true
        case .close(let number):
            // Whether beanstalkd still does what was sent behind a waiting reserve is a matter of packets.
            guard let client = clients[number], !(avoids && client.mayWait && client.ahead > 0), mayLeave(number)
            else { return false }
            clients[number] = nil
            for side in pair.sides { side.links[number] = nil }
        case .halfClose(let number):
            guard maySend(number), mayLeave(number) else { return false }
            clients[number]!.hasHalfClosed = true
            for side in pair.sides { side.links[number]?.halfClose() }
        case .drain:
            drained = true
            for side in pair.sides { side.server.signal(SIGUSR1) }
        case .pass:
            break
        }
        transcript.append("\(step)")
        return true
    }

    private func maySend(_ number: Int) -> Bool {
        guard let client = clients[number] else { return false }
        // TCP sends ten packets at most that nobody acknowledges at once.
        return client.rest.isEmpty && !client.hasHalfClosed && client.ahead < 5
            && !pair.sides[0].links[number]!.isClosed
    }

    private func send(_ all: [[UInt8]], from number: Int, cuts: [Int]) throws {
        for (side, bytes) in zip(pair.sides, all) {
            var start = 0
            for cut in cuts {
                let end = max(start, bytes.count * cut / 1000)
                side.links[number]!.send(bytes[start..<end])
                start = end
                // An uncounted command, so that this piece is read by itself.
                _ = try side.control.ask("x\r\n")
            }
            side.links[number]!.send(bytes[start...])
        }
    }
}
