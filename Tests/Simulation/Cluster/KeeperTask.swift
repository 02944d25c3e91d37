@testable import QueueCore

/// Keeps the broker registered and sends its heartbeats, like PostgresStore's Keeper.
final class KeeperTask: DatabaseTask {
    private static let beatEvery = Span.milliseconds(1000)
    private static let joinEvery = Span.milliseconds(20)

    /// Every epoch that this process has registered and not unregistered itself.
    private(set) var registered: [Int64] = []
    /// 0 while the broker is not registered.
    private var epoch: Int64 = 0
    private var isJoining = false
    private var hasWaited = false
    private var isSole = false
    private var beatenAt = Instant(nanoseconds: 0)
    private var nextBeat = Instant(nanoseconds: 0)
    /// The true time at which the last renewal, or registration, that the broker knows of was sent.
    private(set) var renewalSentAt = Instant(nanoseconds: 0)
    /// The stamp of the last reading of tubes.
    private var known: Int?
    /// The epochs of the other living brokers.
    private var others: Set<Int64> = []
    /// Their last heartbeats, and since when these have been known, by this process's clock.
    private var pulses: [Int64: (beats: Int64, since: Instant)] = [:]
    private var isFetchingIDs = false
    private var stopped: (() -> Void)?
    private var naps = 0

    private var broker: Broker { node.broker }

    func stop(_ stopped: @escaping () -> Void) {
        self.stopped = stopped
        work()
    }

    override func disconnected() {
        // The others may have been cut off too.
        pulses = [:]
        known = nil
        if isFetchingIDs { broker.act { queue, _ in queue.idRequestFailed() } }
        isFetchingIDs = false
    }

    override func serve() {
        isBusy = false
        work()
    }

    override func work() {
        guard !isBusy, session.isOpen else { return }
        isBusy = true
        if stopped != nil { return unregister() }
        if epoch == 0 { return register() }
        if nextBeat <= broker.now { return beat() }
        if isJoining { return join() }
        if let count = broker.act({ queue, _ in queue.takeIDRequest() }) { return fetchIDs(count) }
        _ = broker.act { queue, _ in queue.takeHeldCounts() }
        nap(until: nextBeat)
    }

    private func nap(until time: Instant) {
        isBusy = false
        naps += 1
        let nap = naps
        let wait = max(1_000_000, (time - broker.now).nanoseconds)
        node.later(Span(nanoseconds: wait)) { if nap == self.naps { self.work() } }
    }

    private func goOn() {
        isBusy = false
        work()
    }

    // MARK: The epoch

    private func register() {
        let (sentAt, trulySentAt) = (broker.now, simulation.now)
        declareOthersDead { living in
            self.others = living
            self.session.transact({ self.register($0) }) { own in
                self.simulation.log("\(self.node) is registered as \(own.epoch)\(own.isSole ? ", the sole one" : "")")
                self.epoch = own.epoch
                self.isSole = own.isSole
                self.isJoining = true
                self.hasWaited = false
                self.beatenAt = self.simulation.mistake == .countsFromArrival ? self.broker.now : sentAt
                self.renewalSentAt = trulySentAt
                self.nextBeat = sentAt + KeeperTask.beatEvery
                self.goOn()
            }
        }
    }

    private func register(_ database: Database) -> (epoch: Int64, isSole: Bool)? {
        let epoch = database.register(at: simulation.now)
        registered.append(epoch)
        // The process has ended, and others may see that at once.
        if !node.isAlive { simulation.ended.append((epoch, node.machine)) }
        return (epoch, database.sole == epoch)
    }

    private func join() {
        let epoch = epoch
        let mistake = simulation.mistake
        var readAt = simulation.now
        session.transact({ database -> (rows: [TubeRow], stamp: Int)?? in
            if database.mustWait(epoch), mistake != .joinsAtOnce { return .some(nil) }
            readAt = self.simulation.now
            return .some(database.tubeRows(since: nil, .all, at: readAt))
        }) { news in
            guard let (tubes, stamp) = news else {
                if !self.hasWaited { self.simulation.coverage.reach(.waitedForSole) }
                self.hasWaited = true
                return self.nap(until: self.broker.now + KeeperTask.joinEvery)
            }
            self.isJoining = false
            self.known = stamp
            self.simulation.log("\(self.node) serves as \(epoch)")
            self.node.record.hasRead(tubesAt: readAt)
            self.node.record.attached(isSole: self.isSole, at: self.simulation.now)
            let policies = self.simulation.database.policies.values
            self.broker.act { queue, _ in queue.learn(policies: Array(policies)) }
            self.broker.act {
                $0.attach(
                    epoch: epoch, isSole: self.isSole, tubes: tubes, validUntil: self.beatenAt + Broker.validity,
                    now: $1)
            }
            self.node.startServing()
            self.goOn()
        }
    }

    private func beat() {
        let epoch = epoch
        let (sentAt, trulySentAt) = (broker.now, simulation.now)
        nextBeat = sentAt + KeeperTask.beatEvery
        session.transact({ database -> Bool?? in
            self.node.wasHeard()
            return .some(database.beat(epoch, at: self.simulation.now))
        }) { own in
            guard let isSole = own else { return self.isDead() }
            self.beatenAt = sentAt
            self.declareOthersDead { living in
                if let verdict = self.nextVerdict { self.nextBeat = min(self.nextBeat, verdict) }
                let hasLostPeer = !self.others.isSubset(of: living)
                if hasLostPeer { self.simulation.coverage.reach(.lostPeer) }
                self.others = living
                let peers = living.count
                if self.isJoining { return self.goOn() }
                let counted = self.simulation.mistake == .countsFromArrival ? self.broker.now : sentAt
                self.renewalSentAt = trulySentAt
                self.node.record.renewed(peers: peers, isSole: isSole)
                self.broker.act {
                    $0.renew(
                        validUntil: counted + Broker.validity, peers: peers, hasLostPeer: hasLostPeer, isSole: isSole,
                        now: $1)
                }
                self.renewed(peers)
            }
        }
    }

    private func isDead() {
        simulation.log("\(node) finds itself dead")
        simulation.coverage.reach(.foundItselfDead)
        epoch = 0
        broker.act { $0.detach(now: $1) }
        goOn()
    }

    private func renewed(_ peers: Int) {
        let epoch = epoch
        guard peers == 0, broker.queue.wantsSole else { return learn() }
        session.transact({ $0.becomeSole(epoch) }) { isSole in
            if isSole {
                self.simulation.log("\(self.node) is the sole one")
                self.simulation.coverage.reach(.becameSole)
                self.node.record.becameSole(at: self.simulation.now)
                self.broker.act { $0.becameSole(now: $1) }
            }
            self.learn()
        }
    }

    private func learn() {
        let (known, readAt) = (known, broker.now)
        let recount = broker.act { queue, _ in queue.beginCounting() }
        var trulyReadAt = simulation.now
        session.transact({ database in
            trulyReadAt = self.simulation.now
            return database.tubeRows(since: known, recount, at: trulyReadAt)
        }) { tubes, stamp in
            self.node.record.hasRead(tubesAt: trulyReadAt)
            self.known = stamp
            self.broker.act { $0.learn(tubes, readAt: readAt, now: $1) }
            if self.others.allSatisfy({ $0 > self.epoch }) { self.removeTubes() } else { self.goOn() }
        }
    }

    /// Removes tubes that nobody needs. Here they need not have a minimum age.
    private func removeTubes() {
        let epoch = epoch
        session.transact({ database in
            database.markTubes(
                epoch, except: { self.broker.queue.unneeded([$0]).isEmpty }, at: self.simulation.now)
        }) { marked in
            guard !marked.isEmpty else { return self.goOn() }
            self.session.transact({ $0.removeTubes(marked, epoch, at: self.simulation.now) }) { gone in
                if !gone.isEmpty {
                    self.simulation.log("\(self.node) removes the tubes \(gone)")
                    self.simulation.coverage.reach(.removedTube)
                }
                self.broker.act { $0.removed(gone, now: $1) }
                self.goOn()
            }
        }
    }

    // MARK: Death

    /// Declares others dead that have ended or have been silent for too long. Returns the epochs of those that live.
    private func declareOthersDead(_ told: @escaping (Set<Int64>) -> Void) {
        let (epoch, asked) = (epoch, broker.now)
        var lateByClock: [Int64] = []
        session.transact({ database -> [Int64: Int64]? in
            lateByClock = database.lateByClock(at: self.simulation.now)
            return database.beats(besides: epoch)
        }) { beats in
            let isMistaken = self.simulation.mistake == .declaresDeadByDatabaseClock
            let silent = self.silent(among: beats, asked)
            let dead = beats.filter { self.hasEnded($0.key) || (isMistaken ? lateByClock : silent).contains($0.key) }
            if dead.isEmpty { return told(Set(beats.keys)) }
            self.session.transact({ self.declareDead(dead, $0) }) { told(Set(beats.keys).subtracting($0)) }
        }
    }

    private func declareDead(_ silent: [Int64: Int64], _ database: Database) -> Set<Int64>? {
        let dead = database.declareDead(silent)
        if !dead.isEmpty {
            simulation.log("\(node) declares \(dead.sorted()) dead; \(database.epochs.sorted()) live")
            simulation.coverage.reach(.declaredDead)
        }
        return dead
    }

    private func hasEnded(_ epoch: Int64) -> Bool {
        simulation.ended.contains { $0.epoch == epoch && $0.machine == node.machine }
    }

    /// By this process's own clock, as PostgresStore's FailureDetector.
    private func silent(among beats: [Int64: Int64], _ asked: Instant) -> [Int64] {
        let last = pulses
        pulses = [:]
        for (epoch, beats) in beats {
            if let pulse = last[epoch], pulse.beats == beats {
                pulses[epoch] = pulse
            } else {
                pulses[epoch] = (beats, broker.now)
            }
        }
        return pulses.filter { asked >= $0.value.since + silence }.keys.sorted()
    }

    private var silence: Span { simulation.mistake == .declaresDeadEarly ? .milliseconds(1200) : Database.silence }

    private var nextVerdict: Instant? { pulses.values.map { $0.since + silence }.filter { $0 > broker.now }.min() }

    private func unregister() {
        let epoch = epoch
        broker.act { $0.detach(now: $1) }
        session.transact({ database -> Bool? in
            database.unregister(epoch)
            return true
        }) { _ in
            self.registered.removeAll { $0 == epoch }
            self.stopped?()
        }
    }

    // MARK: Ids

    private func fetchIDs(_ count: Int) {
        isFetchingIDs = true
        session.transact({ $0.ids(count) }) { range in
            self.isFetchingIDs = false
            self.broker.act { $0.add(ids: [range], now: $1) }
            self.goOn()
        }
    }
}
