import Foundation

@testable import TestKit

/// The result of running a history.
enum Outcome {
    /// The number of replies that were compared.
    case same(replies: Int)
    case different(Difference)
    /// The run proves nothing: the machine was too slow, or a guessed id was wrong.
    case inconclusive(String)
}

/// The first difference between the servers.
struct Difference {
    /// The index of the step after which the replies differed.
    var step: Int
    var client: Int?
    var original: [String]
    var beanrow: [String]
    /// All commands and replies until then.
    var transcript: [String]
    var replies: Int

    /// The first words that differ. They tell one difference from another while a history is shrunk.
    var kind: String {
        let pairs = zip(original, beanrow).first { $0 != $1 }
        return "\(pairs?.0 ?? original.last ?? "") / \(pairs?.1 ?? beanrow.last ?? "")".filter { !$0.isNumber }
    }
}

/// Runs one history on both servers, step by step.
struct Runner {
    struct Client {
        /// All tubes that it may have watched since it connected.
        var watched: Set<String> = ["default"]
        /// True if it has sent a command that may wait, and nothing shows that the wait is over.
        var mayWait = false
        /// How often it has sent more after such a command.
        var ahead = 0
        /// True if it has reserved jobs by their ids.
        var takesByID = false
        /// The part of a message that it has not sent yet, for each server.
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

    /// `predicts`: commands may use the id of a job whose put is in the same packet. `avoids`: steps that would only show
    /// an intended difference are replaced.
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
                // At once: Beanrow is given time only for replies that beanstalkd has sent.
                let isInWindow = clock.isInWindow
                let difference = try settleBeanrow(after: part, index)
                guard !pair.sides.contains(where: \.wasMispredicted) else { return .inconclusive("mispredicted") }
                if let difference { return isInWindow ? .different(difference) : .inconclusive("too slow") }
            }
        }
        return clock.isInWindow ? .same(replies: replies) : .inconclusive("too slow")
    }

    /// True if a client has sent more than was done: the outcome is open if the client disconnects.
    var hasUnfinished: Bool {
        clients.values.contains { $0.mayWait && $0.ahead > 0 }
    }

    // MARK: Steps

    /// beanstalkd 1.12 often forgets a reservation that runs out while its client is silent: its tick comes in the same
    /// microsecond as the deadline, which is not over then, and it plans no other tick. Any command of the client makes it
    /// look again.
    private func nudge() {
        for (number, client) in clients where client.rest.isEmpty && !client.hasHalfClosed {
            for side in pair.sides { side.links[number]!.send("x\r\n".utf8) }
        }
    }

    /// - Returns: False if the step makes no sense now, as happens while a history is shrunk.
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
            // Whether beanstalkd still does commands after a waiting reserve depends on the packets.
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
        // TCP sends at most ten packets that are not acknowledged.
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
