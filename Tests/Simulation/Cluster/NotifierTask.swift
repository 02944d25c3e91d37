@testable import QueueCore

/// Tells other brokers what this one has made ready, as PostgresStore's Notifier. What they are told comes late, or not
/// at all.
final class NotifierTask: DatabaseTask {
    private static let pause = Span.milliseconds(20)

    override func serve() {
        isBusy = false
        node.broker.act { $0.missedNotices(now: $1) }
        work()
    }

    override func work() {
        guard !isBusy, !isStopping, let notices = node.broker.act({ queue, _ in queue.takeNotices() }) else { return }
        isBusy = true
        session.transact({ $0.publish(notices) }) { _ in
            self.session.transact({ $0.tubes(awaitedAnewBy: notices) }) { tubes in
                self.node.broker.act { $0.announced(tubes, now: $1) }
                self.session.transact({ $0.news(in: notices) }) { self.tell($0) }
            }
        }
    }

    private func tell(_ news: [(tube: TubeID, name: TubeName, key: JobKey)]) {
        for other in simulation.nodes where other !== node && other.isAlive {
            for item in news {
                other.later(simulation.random.span(0...5000)) {
                    guard other.notifier.session.isOpen else { return }
                    self.simulation.coverage.reach(.noticed)
                    other.broker.act { $0.noticed(item.tube, item.name, item.key, now: $1) }
                }
            }
        }
        node.later(NotifierTask.pause) {
            self.isBusy = false
            if self.session.isOpen { self.work() }
        }
    }
}
