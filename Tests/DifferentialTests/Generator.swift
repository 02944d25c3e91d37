import TestKit

/// Makes a random history from a seed.
struct Generator {
    var random: SplitMix
    var tags: [Int] = []
    /// Tubes beside `default`.
    let tubes: [String]
    let clients: Int
    private let length: Int
    private let rounds: Int
    private let drains: Bool
    /// The percentage of malformed messages.
    private let malformed: Int
    private var nextTag = 1

    /// `length`: the approximate number of steps.
    init(seed: UInt64, length: Int) {
        random = SplitMix(seed: seed)
        tubes = Array(["a", "b-1", "c/+;.$_()"].prefix(1 + random.below(3)))
        clients = 1 + random.below(4)
        rounds = random.weighted([(3, 1), (2, 2), (3, 3)])
        drains = random.percent(6)
        malformed = random.pick([0, 5, 15, 40])
        // Less can be done in a short window.
        self.length = max(3, length * [4, 3, 2][rounds - 1] / 4)
    }

    mutating func history() -> History {
        var steps = (0..<clients).map { Step.open($0) }
        for round in 0..<rounds {
            if round > 0 { steps.append(.pass(random.weighted([(3, 1), (2, 2), (1, 3)]))) }
            if round == 0 || random.percent(80) { steps += (0..<max(1, length / rounds)).flatMap { _ in step() } }
            if drains, round == rounds / 2 { steps.append(.drain) }
        }
        return History(steps: steps + audit())
    }

    private mutating func step() -> [Step] {
        let client = random.below(clients)
        switch random.below(100) {
        case 0..<2: return [.close(client)]
        case 2..<4: return [.halfClose(client)]
        case 4..<8: return [.open(client)]
        case 8..<10: return [.close(client), .open(client)]
        case 10..<12: return [.begin(client, message(), thousandths: random.below(1000)), .finish(client)]
        case 12..<15:
            // Another put would get the other id: a listed difference.
            let others = (0..<random.below(3)).map { _ in command() }.filter { $0.put == nil }
            return [.begin(client, put(), thousandths: random.below(1000))]
                + others.map { .send(random.below(clients), [$0], cuts: []) } + [.finish(client)]
        default:
            let count = random.percent(65) ? 1 : 2 + random.below(5)
            let cuts = random.percent(20) ? (0...random.below(3)).map { _ in random.below(1000) }.sorted() : []
            return [.send(client, (0..<count).map { _ in message() }, cuts: cuts)]
        }
    }

    private mutating func message() -> Message {
        random.percent(malformed) ? malformedMessage() : command()
    }

    /// Commands that show the whole state, by a client that took no part in it.
    private mutating func audit() -> [Step] {
        let names = ["default"] + tubes
        let looks = [Message("stats\r\n"), Message("list-tubes\r\n")] + names.map { Message("stats-tube \($0)\r\n") }
        let jobs = tags.suffix(12).map { Message("stats-job", job: $0) }
        return [.open(clients), .send(clients, looks + jobs, cuts: [])]
    }

    /// A new tag for a put.
    mutating func newTag() -> Int {
        defer { nextTag += 1 }
        tags.append(nextTag)
        return nextTag
    }

    /// The id of a job, most often a recent one, sometimes one that never existed.
    mutating func job() -> Int {
        if tags.isEmpty || random.percent(3) { return 0 }
        return random.pick(random.percent(80) ? tags.suffix(5) : tags)
    }

    mutating func tube() -> String {
        random.pick(["default"] + tubes + tubes)
    }
}
