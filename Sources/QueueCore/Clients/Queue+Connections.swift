/// Connections: how they open, and how they close.
extension Queue {
    /// A client has connected; its output goes to `outbox`.
    public mutating func open(outbox: Int, now: Instant) -> ConnectionID {
        var connection = Connection()
        connection.outbox = outbox
        let slot = connections.open(connection)
        let tube = tubes.defaultTube
        connections[slot].used = tube
        connections[slot].watched = [tube]
        tubes[tube].using += 1
        startWatching(tube)
        return id(of: slot)
    }

    /// Whether the connection may be given a command: once the tubes are known, while no reserve waits, and while not
    /// too many replies are open.
    public func accepts(_ id: ConnectionID) -> Bool {
        membership.hasStarted && isOpen(id) && !connections[id.slot].isBlocked
    }

    /// Whether the connection is owed a reply: a reserve waits, or a command waits for the database.
    public func isBusy(_ id: ConnectionID) -> Bool {
        isOpen(id) && (!membership.hasStarted || connections[id.slot].isBusy)
    }

    func isOpen(_ id: ConnectionID) -> Bool { connections.isOpen(id) }

    func id(of slot: Int) -> ConnectionID { connections.id(of: slot) }

    /// The client has sent all that it will send. A waiting reserve ends, and the connection ends when everything has
    /// been answered.
    public mutating func inputEnded(_ id: ConnectionID, now: Instant) {
        guard isOpen(id) else { return }
        connections[id.slot].inputEnded = true
        guard connections[id.slot].wait != nil else { return }
        if case .unknown = choose(id.slot, now: now) {
            // There may be a job for the client. What it sent before the end is answered as usual.
            connections[id.slot].wait?.isImpatient = true
            connections.clearTimer(id.slot)
            setTimer(id.slot, now: now)
        } else {
            endWait(id.slot)
            answer(id.slot, .timedOut)
        }
        conclude(now: now)
    }

    /// Whether a connection whose input has ended has nothing left to be answered.
    func isFinished(_ id: ConnectionID) -> Bool {
        guard isOpen(id) else { return true }
        return connections[id.slot].inputEnded && connections[id.slot].replies.isEmpty
            && !connections[id.slot].isBlocked
    }

    /// Closes a connection whose input has ended and that is owed nothing, behind its last replies: these may still
    /// be in the outbox.
    public mutating func closeIfFinished(_ id: ConnectionID) {
        if isOpen(id), isFinished(id) { connections.put(.close(id), for: id.slot) }
    }

    /// The connection is gone. Its jobs are given back, and no counter of them changes.
    public mutating func closed(_ id: ConnectionID, now: Instant) {
        guard isOpen(id) else { return }
        let slot = id.slot
        if connections[slot].wait != nil { endWait(slot) }
        if connections[slot].isProducer { connections.producers -= 1 }
        if connections[slot].isWorker { connections.workers -= 1 }
        connections[slot].isOpen = false
        connections.closing.append(slot)
        finishClosing(now: now)
        conclude(now: now)
    }

    /// How many jobs of closed connections are given back in one go. Other clients must not wait for one that held a
    /// million.
    static let closingChunk = 1000

    /// Continues to give back the jobs of connections that are gone.
    mutating func finishClosing(now: Instant) {
        var left = Queue.closingChunk
        while let slot = connections.closing.first {
            // In the order of their reservation, as beanstalkd does.
            while left > 0, connections[slot].lastHeld >= 0 {
                left -= 1
                let job = connections[slot].lastHeld
                unhold(job)
                giveBack(job, now: now)
                conclude(now: now)
            }
            guard connections[slot].lastHeld < 0 else { return }
            connections.closing.removeFirst()
            forget(connection: slot, now: now)
            conclude(now: now)
        }
    }

    private mutating func forget(connection slot: Int, now: Instant) {
        let used = connections[slot].used
        let watched = connections[slot].watched
        connections.remove(slot)
        stopUsing(used)
        for tube in watched { stopWatching(tube, now: now) }
    }
}
