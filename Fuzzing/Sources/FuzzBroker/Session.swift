import BeanstalkProtocol
import NIOCore

@testable import QueueCore
@testable import Simulation

/// Clients, a store that answers late or refuses, other brokers and time, as the input says.
final class Session {
    private let world = World(cacheBytes: 2000)
    private var told = Told()
    private var links: [WireLink] = []
    /// The index of the client that sends.
    private var current = 0
    private let encoder = ReplyEncoder()

    init() {
        for _ in 0..<2 { connect() }
    }

    private static let facts = ProcessFacts(
        pid: 1, version: "0", userTime: CPUTime(seconds: 0, microseconds: 0),
        systemTime: CPUTime(seconds: 0, microseconds: 0), uptime: 0, binlog: BinlogFacts(), id: "0", hostname: "h",
        os: "o", platform: "p", maxJobSize: 1000)

    private func verify() {
        // In the order in which the broker sent them: what one client was told may follow from what another did.
        let heard = links.flatMap { link in link.client.hearsWithPlaces().map { (link.client, $0) } }
        for (client, said) in heard.sorted(by: { $0.1.place < $1.1.place }) {
            var buffer = ByteBuffer()
            encoder.encode(said.reply, facts: Session.facts, into: &buffer)
            precondition(buffer.readableBytesView.suffix(2).elementsEqual([13, 10]), "a reply without an end")
            told.heard(client, said.reply, in: world)
        }
    }

    // MARK: Clients

    private func connect() {
        guard links.count < 5 else { return }
        let link = WireLink(world.connect())
        links.append(link)
        current = links.count - 1
    }

    private var link: WireLink? {
        links.removeAll(where: \.client.isClosed)
        return links.isEmpty ? nil : links[current % links.count]
    }

    func send(_ bytes: [UInt8]) {
        guard !bytes.isEmpty, let link, !link.client.handler.hasEnded else { return }
        let commands = link.receive(bytes)
        for command in commands { told.sent(link.client, command) }
        link.client.sends(commands)
        if !link.client.isClosed { link.reportPutLine(to: world) }
        verify()
    }

    // MARK: Events

    /// What a byte from 128 on means. The list is repeated for the bytes beyond its end.
    private static let events: [@Sendable (Session) -> Void] = [
        { $0.current += 1 },
        { $0.current = 0 },
        { $0.connect() },
        { $0.link?.client.disconnects() },
        { if let link = $0.link, !link.client.handler.hasEnded { link.client.halfCloses() } },
        { $0.setFlow(.stopped) },
        { $0.setFlow(.flowing) },
        { $0.step { _ = $0.stepWrites(.puts) } },
        { $0.step { _ = $0.stepWrites(.changes) } },
        { $0.step { _ = $0.stepQueries() } },
        { $0.refuse(.puts, .failed) },
        { $0.refuse(.puts, .full) },
        { $0.refuse(.changes, .failed) },
        { $0.refuseQueries(.failed) },
        { $0.refuseQueries(.full) },
        { $0.world.advance(.milliseconds(1)) },
        { $0.world.advance(.milliseconds(100)) },
        { $0.world.advance(.milliseconds(600)) },
        { $0.world.advance(.seconds(1)) },
        { $0.world.advance(.seconds(4)) },
        { $0.world.advance(.seconds(11)) },
        { $0.step { $0.act { $0.reconnected(now: $1) } } },
        { $0.putForeign(in: "default") },
        { $0.putForeign(in: "a") },
        { $0.world.peers = 1 - $0.world.peers },
        { $0.die() },
        { $0.world.ids = $0.world.ids == .flowing ? .stopped : .flowing },
        { $0.quiesce() },
        { $0.step { $0.act { queue, _ in queue.drain() } } },
    ]

    func happen(_ byte: UInt8) {
        Session.events[Int(byte & 127) % Session.events.count](self)
        verify()
    }

    private func step(_ body: (World) -> Void) {
        body(world)
        world.settle()
    }

    private func setFlow(_ flow: World.Flow) {
        world.writes = flow
        world.queries = flow
    }

    /// The current batch is refused. Batches that follow from that are not, or they would be tried again without end.
    private func refuse(_ kind: WriteKind, _ refusal: Refusal) {
        world.writeRefusal = refusal
        while world.stepWrites(kind, to: .done) {}
        world.writeRefusal = nil
        step { _ = $0.stepWrites(kind) }
    }

    private func refuseQueries(_ refusal: Refusal) {
        world.queryRefusal = refusal
        while world.stepQueries(to: .done) {}
        world.queryRefusal = nil
        step { _ = $0.stepQueries() }
    }

    private func putForeign(in tube: TubeName) {
        _ = world.database.putForeign(in: tube, priority: 1, at: world.now)
        step { world in world.act { $0.learn(world.database.tubeRows(at: $1), readAt: $1, now: $1) } }
    }

    /// The broker is stopped for so long that another one declares it dead and takes some of its jobs. If that has
    /// already happened, the broker registers again. If it has done that, the other broker leaves.
    private func die() {
        guard world.queue.epoch != 0 else { return world.attach() }
        if world.database.epochs.count > 1 {
            world.database.epochs = [world.queue.epoch]
            return
        }
        world.jump(.seconds(4))
        world.database.epochs = []
        world.database.sole = nil
        let other = world.database.register(at: world.now)
        for id in world.database.rows.keys where id % 3 == 0 { world.database.rows[id]?.lease = other }
    }

    /// Lets the store answer everything, and checks.
    private func quiesce() {
        world.ids = .flowing
        setFlow(.flowing)
        world.advance(.milliseconds(1))
        if !world.database.epochs.contains(world.queue.epoch) {
            world.beat()
            world.attach()
        }
        verify()
        told.checkQuiet(world)
    }

    func end() {
        quiesce()
        for link in links { link.client.disconnects() }
        quiesce()
        verify()
    }
}
