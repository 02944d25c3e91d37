@testable import QueueCore

/// Tells other brokers what this one has made ready, like PostgresStore's Notifier. The notification comes late, or
/// not at all.
final class NotifierTask: DatabaseTask {
    private static let pause = Span.milliseconds(20)
    private static let lookEvery = Span.milliseconds(50)

    private var hasLooked: Int64?
    private var looks = 0
    private var isLooking = false
    private var hasLostLook = false

    override func disconnected() {
        hasLostLook = isLooking
        isLooking = false
    }

    override func serve() {
        isBusy = false
        if hasLostLook { node.broker.act { queue, _ in queue.othersCounted() } }
        node.broker.act { $0.missedNotices(now: $1) }
        looks += 1
        hearWaits(looks)
        if simulation.profile.disturbances.contains(where: { $0.kind == .sqlSession }) { look(looks) }
        work()
    }

    /// Looks at what SQL sessions do, over the same connection but independently of the notices.
    private func look(_ number: Int) {
        guard number == looks, session.isOpen, !isStopping else { return }
        node.later(NotifierTask.lookEvery) { self.look(number) }
        let epoch = node.broker.queue.epoch
        guard epoch != 0, !isLooking else { return }
        isLooking = true
        let readAt = node.broker.now
        // A new connection has ended the session of the one before: its looks are not done later.
        session.transact({ number == self.looks ? .some($0.look(epoch, at: self.simulation.now)) : .some(nil) }) {
            seen in
            self.isLooking = false
            if let seen { self.saw(seen, epoch, readAt) }
        }
    }

    private func saw(_ look: Database.Look, _ epoch: Int64, _ readAt: Instant) {
        if look.recall > look.answered {
            node.broker.act { $0.leasesRecalled(look.recall, now: $1) }
        }
        if let hasLooked, hasLooked != look.reservations { node.broker.act { $0.shareWithSQL(now: $1) } }
        hasLooked = look.reservations
        if !look.changes.isEmpty { node.broker.act { $0.learn(look.changes, readAt: readAt, now: $1) } }
    }

    override func work() {
        guard !isBusy, !isStopping, let notices = node.broker.act({ queue, _ in queue.takeNotices() }) else { return }
        isBusy = true
        session.transact({ $0.publish(notices) }) { _ in
            if notices.waits.values.contains(true) { self.tell { $0.hearWaits() } }
            self.session.transact({ $0.tubes(awaitedAnewBy: notices) }) { tubes in
                self.node.broker.act { $0.waitsPublished(tubes, now: $1) }
                self.session.transact({ $0.tell(notices) }) { self.notify($0) }
            }
        }
    }

    private func notify(_ epochs: Set<Int64>) {
        if !epochs.isEmpty { tell { $0.hear() } }
        node.later(NotifierTask.pause) {
            self.isBusy = false
            if self.session.isOpen { self.work() }
        }
    }

    /// A notification for all other brokers.
    private func tell(_ hear: @escaping (NotifierTask) -> Void) {
        for other in simulation.nodes where other !== node && other.isAlive {
            other.later(simulation.random.span(0...5000)) { hear(other.notifier) }
        }
    }

    /// Each second, since notifications get lost.
    private func hearWaits(_ number: Int) {
        guard number == looks, session.isOpen, !isStopping else { return }
        node.later(.seconds(1)) { self.hearWaits(number) }
        hearWaits()
    }

    private func hearWaits() {
        let epoch = node.broker.queue.epoch
        guard session.isOpen, epoch != 0 else { return }
        session.transact({ $0.tubesAwaited(elsewhereThan: epoch) }) { tubes in
            if !tubes.isEmpty { self.simulation.coverage.reach(.awaitedElsewhere) }
            self.node.broker.act { $0.othersAwait(tubes, now: $1) }
        }
    }

    /// Another broker has notified: reads the notices.
    private func hear() {
        let epoch = node.broker.queue.epoch
        guard session.isOpen, epoch != 0 else { return }
        session.transact({ $0.takeNews(epoch) }) { taken in
            guard self.node.broker.queue.epoch == epoch else { return }
            for notice in taken.news {
                self.simulation.coverage.reach(.noticed)
                self.node.broker.act { $0.noticed(notice, now: $1) }
            }
            self.node.broker.act { $0.removed(taken.removed, now: $1) }
        }
    }
}
