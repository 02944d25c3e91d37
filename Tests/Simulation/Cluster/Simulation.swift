@testable import QueueCore

/// One schedule: brokers on one database, their clients, the networks between them, and disturbances. Everything in
/// it follows from the seed.
final class Simulation {
    let profile: Profile
    let mistake: Mistake?
    let database: Database
    var random: SplitMix64
    private(set) var now = Instant(nanoseconds: 0) + .seconds(1000)
    private var agenda = Agenda()

    var nodes: [Node] = []
    var clients: [RemoteClient] = []
    private(set) lazy var checker = Checker(self)
    var coverage = Coverage()
    let transcript: Transcript

    /// Nothing goes wrong any more, and clients send nothing.
    private(set) var isCalm = false
    private(set) var calmSince = Instant(nanoseconds: 0)
    /// Grows with each crash of the database server. What was not committed before never will be.
    var incarnation = 0
    /// When the server, or the network to it, answers again.
    var databaseBackAt = Instant(nanoseconds: 0)
    var stalledUntil = Instant(nanoseconds: 0)
    /// Epochs of processes that have ended, and the machines where others can see that.
    var ended: [(epoch: Int64, machine: Int)] = []
    var hasPutBySQL = false
    /// The number of bodies so far. Each body contains its number, so that a put can be recognized.
    private var bodies = 0

    init(seed: UInt64, mistake: Mistake? = nil, keepsTranscript: Bool = false) {
        random = SplitMix64(seed: seed)
        profile = Profile(seed: seed, &random)
        self.mistake = mistake
        database = Database(mistake: mistake)
        database.mayRefuse = profile.refusals > 0
        transcript = Transcript(isKept: keepsTranscript)
    }

    /// How many events have happened or are planned.
    var eventCount: Int { agenda.count }

    // MARK: Time

    func after(_ span: Span, _ action: @escaping () -> Void) { agenda.plan(at: now + span, action) }

    func log(_ entry: @autoclosure () -> String) {
        if transcript.isKept { transcript.add(entry(), at: now) }
    }

    /// Runs for a time, or until a condition holds.
    private func run(for span: Span, until isSo: () -> Bool = { false }) {
        let end = now + span
        while checker.violation == nil, let next = agenda.next(until: end) {
            now = max(now, next.at)
            next.action()
            if isSo() { return }
        }
        now = end
    }

    /// Microseconds that a message takes between a broker and the database.
    var databaseWay: Span { random.span(isCalm ? 50...500 : profile.database) }

    // MARK: The course

    /// - Returns: the first violation, if there was any.
    func run() -> Violation? {
        for (tube, policy) in profile.policies { database.set(policy, of: tube) }
        for _ in 0..<profile.brokers { start(machine: random.below(2)) }
        for _ in 0..<profile.clients { connect() }
        disturbLater()
        for _ in 0..<profile.phases where checker.violation == nil {
            isCalm = false
            for client in clients { client.think() }
            run(for: profile.length)
            calm()
        }
        if checker.violation == nil { everybodyLeaves() }
        return checker.violation
    }

    private func everybodyLeaves() {
        log("everybody leaves")
        for client in clients { client.disconnect() }
        clients = []
        // A cache outlives its watchers by five seconds, and a poll finds that out.
        run(for: .seconds(9))
        run(for: .seconds(1)) { self.isQuiet }
        checker.checkForgotten()
    }

    /// Actions and connections refer to each other: without this, none of them would be freed.
    func end() {
        agenda = Agenda()
        for node in nodes { node.forgetClients() }
    }

    /// Everything heals. Then everything must agree.
    private func calm() {
        isCalm = true
        log("nothing more goes wrong")
        run(for: .seconds(9)) { self.hasHealed }
        calmSince = now
        log("calm")
        // Dead brokers are declared dead, and brokers that wait for that start.
        run(for: .milliseconds(11_000))
        run(for: .seconds(1)) { self.isQuiet }
        log("quiet")
        checker.checkQuiet()
        // A poll finds what others have put, and what nobody wants is given back.
        run(for: .milliseconds(2500))
        run(for: .seconds(1)) { self.isQuiet }
        checker.checkQuiet()
        checker.checkNobodyWaitsForNothing()
    }

    /// Whether all disturbances are over.
    private var hasHealed: Bool {
        now >= max(databaseBackAt, stalledUntil) && living.allSatisfy { !$0.isFrozen && $0.reachesDatabase }
    }

    private var isQuiet: Bool { living.allSatisfy(\.isQuiet) }

    // MARK: Those who take part

    @discardableResult
    func start(machine: Int) -> Node {
        let node = Node(self, number: nodes.count, machine: machine)
        nodes.append(node)
        log("\(node) starts")
        node.start()
        if living.count > 1 { coverage.reach(.multipleBrokers) }
        return node
    }

    /// Brokers that accept new clients.
    var living: [Node] { nodes.filter { $0.isAlive && !$0.isLeaving } }

    func connect() {
        guard let node = living.isEmpty ? nil : random.pick(living) else {
            return after(.milliseconds(200)) { self.connect() }
        }
        let client = RemoteClient(self, node)
        clients.append(client)
        client.think()
    }

    /// A client has gone. Another one comes.
    func left(_ client: RemoteClient) {
        clients.removeAll { $0 === client }
        after(random.span(1000...500_000)) { if !self.isOver { self.connect() } }
    }

    private var isOver: Bool { clients.isEmpty && isCalm }

    func nextBody() -> Body {
        bodies += 1
        let number = bodies
        return [UInt8(truncatingIfNeeded: number), UInt8(truncatingIfNeeded: number >> 8)]
            + Body(repeating: 7, count: random.below(300))
    }
}

/// What must never happen, and has happened.
package struct Violation: Error, Sendable {
    /// The number of the invariant (docs/ARCHITECTURE.md, Invariants).
    package let invariant: Int
    package let what: String
}

/// What has happened, for the report of a violation.
final class Transcript {
    let isKept: Bool
    private(set) var lines: [String] = []

    init(isKept: Bool) { self.isKept = isKept }

    func add(_ line: String, at now: Instant) {
        let milliseconds = (now - Instant(nanoseconds: 0)).nanoseconds / 1000 % 1_000_000_000
        // Bodies consist mostly of sevens.
        let brief = line.replacing(", 7", with: "").replacing("QueueCore.", with: "")
        lines.append("\(milliseconds / 1000).\(milliseconds % 1000 / 100) \(brief)")
    }
}
