@testable import QueueCore

/// A random history: clients, a store that answers late and in any order, time, and other brokers.
final class History {
    struct Options {
        var seed: UInt64
        var steps = 250
        /// Other brokers put jobs behind this one's back.
        var hasForeign = false
        /// The store refuses some batches and queries.
        var hasRefusals = false
        /// The connection to the database is lost now and then.
        var hasReconnects = false
        /// Other brokers declare this one dead now and then.
        var hasDeaths = false
    }

    let options: Options
    let world: World
    var random: SplitMix64
    let tubes: [TubeName] = ["default", "a", "b"]
    var clients: [Client] = []
    var checker: Checker
    /// What has happened, for the report of a failure.
    private var entries: [(at: Instant, entry: () -> String)] = []

    init(_ options: Options) {
        self.options = options
        random = SplitMix64(seed: options.seed)
        world = World(cacheBytes: [600, 2000, 1 << 20].randomElement(using: &random)!)
        checker = Checker(world)
        world.observer = { [unowned self] in checker.observe($0) }
        world.listener = { [unowned self] client, reply in
            log("\(client.id.slot): <- \(reply)")
            checker.hear(client, reply)
        }
        for _ in 0..<3 { connect() }
    }

    /// The first thing that went wrong, if any.
    func run() -> String? {
        setFlow(.stopped)
        for step in 0..<options.steps where checker.problem == nil {
            if step % 25 == 24 { quiesce() } else { act() }
        }
        quiesce()
        return checker.problem
    }

    func log(_ entry: @autoclosure @escaping () -> String) { entries.append((world.now, entry)) }

    /// Bodies are all sevens: they need not be read in full.
    func transcript(last count: Int) -> String {
        entries.suffix(count).map { at, entry in
            let brief = entry().replacing(", 7", with: "").replacing("QueueCore.", with: "")
            return "\((at - Instant(nanoseconds: 0)).milliseconds) \(brief)"
        }.joined(separator: "\n")
    }

    func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

    private func setFlow(_ flow: World.Flow) {
        world.writes = flow
        world.queries = flow
    }

    // MARK: What happens

    private func act() {
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<50: command()
        case 50..<65:
            world.writeRefusal = options.hasRefusals && chance(10) ? .failed : nil
            world.stepWrites(chance(50) ? .puts : .changes)
            world.settle()
        case 65..<82:
            world.queryRefusal = options.hasRefusals && chance(10) ? .failed : nil
            world.stepQueries()
            world.settle()
        case 82..<90:
            let span = Span.milliseconds(Int.random(in: 1...700, using: &random))
            world.advance(span)
        case 90..<92: connect()
        case 92..<94: leave()
        default: interfere()
        }
    }

    private func connect() {
        guard clients.count < 6 else { return }
        let client = world.connect()
        checker.forget(client)
        clients.append(client)
        log("\(client.id.slot): connects")
    }

    private func leave() {
        guard clients.count > 2, let client = clients.randomElement(using: &random) else { return }
        log("\(client.id.slot): leaves")
        if chance(80) { client.disconnects() } else { client.halfCloses() }
        clients.removeAll { $0 === client }
    }

    private func command() {
        clients.removeAll(where: \.isClosed)
        if clients.isEmpty { return connect() }
        guard let client = clients.randomElement(using: &random), client.unread.isEmpty,
            world.queue.accepts(client.id)
        else { return }
        let commands = (0..<(chance(20) ? 3 : 1)).map { _ in randomCommand(of: client) }
        log("\(client.id.slot): \(commands)")
        for command in commands { checker.sent(client, command) }
        client.sends(commands)
    }

    /// What others do to the database, and what the network does.
    private func interfere() {
        let tube = tubes.randomElement(using: &random)!
        if options.hasForeign, chance(60) {
            let priority = UInt32.random(in: 0...9, using: &random)
            let id = world.database.putForeign(in: tube, priority: priority, at: world.now)
            checker.foreign.insert(id)
            world.act { $0.learn(self.world.database.tubeRows(at: $1), readAt: $1, now: $1) }
            log("foreign put \(id) priority \(priority) in \(tube)")
        } else if options.hasForeign, chance(30) {
            world.peers = world.peers == 0 ? 1 : 0
            let peers = world.peers
            log("peers \(peers)")
        } else if options.hasReconnects, chance(50) {
            log("reconnected")
            world.act { $0.reconnected(now: $1) }
            world.settle()
        } else if options.hasDeaths, chance(30) {
            die()
        }
    }

    /// The broker is stopped for so long that another one declares it dead and takes some of its jobs.
    private func die() {
        guard world.queue.epoch != 0 else {
            log("attached")
            return world.attach()
        }
        if world.database.epochs.count > 1 {
            log("the others are gone")
            let lost = world.database.rows.values.filter { $0.lease.map { $0 != world.queue.epoch } ?? false }
            checker.foreign.formUnion(lost.map(\.id))
            world.database.epochs = [world.queue.epoch]
            return
        }
        log("dies")
        world.jump(.seconds(4))
        world.database.epochs = []
        world.database.sole = nil
        let other = world.database.register()
        for id in world.database.rows.keys.sorted() where chance(30) { world.database.rows[id]?.lease = other }
    }

    // MARK: Quiet

    /// Lets the store answer everything, looks, waits, and looks again whether somebody waits for nothing.
    private func quiesce() {
        world.writeRefusal = nil
        world.queryRefusal = nil
        setFlow(.flowing)
        world.advance(.milliseconds(1))
        if !world.database.epochs.contains(world.queue.epoch) {
            world.beat()
            world.attach()
        }
        log("quiet")
        checker.checkQuiet(countsAreKnown: !options.hasForeign)
        world.advance(.seconds(3))
        log("quiet for 3 s")
        checker.checkQuiet(countsAreKnown: !options.hasForeign)
        checker.checkNobodyWaitsForNothing()
        let idle = checker.idleLeases
        world.advance(.milliseconds(1500))
        let kept = idle.intersection(checker.idleLeases)
        if !kept.isEmpty { checker.fail("the leases of \(kept) are kept from other brokers") }
        setFlow(.stopped)
    }
}

extension Span {
    var milliseconds: Int64 { nanoseconds / 1_000_000 }
}
