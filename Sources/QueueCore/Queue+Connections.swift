import DequeModule

/// Connections, and the order of their replies: commands are answered in the order in which they came, while the
/// commits that some of them wait for overlap.
extension Queue {
    /// A client has connected; its output goes to `outbox`.
    public mutating func open(outbox: Int, now: Instant) -> ConnectionID {
        var connection = Connection()
        connection.outbox = outbox
        let slot = connections.insert(connection)
        // The slot's generation outlives its tenants.
        connections[slot].generation = nextGeneration
        nextGeneration &+= 1
        connections[slot].isOpen = true
        let tube = defaultTube
        connections[slot].used = tube
        connections[slot].watched = [tube]
        tubes[tube].using += 1
        startWatching(tube)
        totalConnections += 1
        return ConnectionID(slot: slot, generation: connections[slot].generation)
    }

    /// Whether the connection may be given a command: not before the tubes are known, not while a reserve waits, nor
    /// while too many replies are open.
    public func accepts(_ id: ConnectionID) -> Bool {
        hasStarted && isOpen(id) && !connections[id.slot].isBlocked
    }

    /// Whether the connection is owed a reply: a reserve waits, or a command waits for the database.
    public func isBusy(_ id: ConnectionID) -> Bool {
        isOpen(id) && (!hasStarted || connections[id.slot].isBusy)
    }

    func isOpen(_ id: ConnectionID) -> Bool {
        connections[id.slot].generation == id.generation && connections[id.slot].isOpen
    }

    func id(of slot: Int) -> ConnectionID {
        ConnectionID(slot: slot, generation: connections[slot].generation)
    }

    /// The client has sent all it will send: a waiting reserve ends, and the connection once all is answered.
    public mutating func inputEnded(_ id: ConnectionID, now: Instant) {
        guard isOpen(id) else { return }
        connections[id.slot].inputEnded = true
        guard connections[id.slot].wait != nil else { return }
        if case .unknown = choose(id.slot, now: now) {
            // There may be a job for it: what was sent before the end is answered as ever.
            connections[id.slot].wait?.isImpatient = true
            if connections[id.slot].heapPosition >= 0 {
                timers.remove(at: Int(connections[id.slot].heapPosition), in: &connections)
            }
            setTimer(id.slot, now: now)
        } else {
            endWait(id.slot)
            answer(id.slot, .timedOut, now: now)
        }
    }

    /// Whether a connection whose input has ended has nothing left to be answered.
    func isFinished(_ id: ConnectionID) -> Bool {
        guard isOpen(id) else { return true }
        return connections[id.slot].inputEnded && connections[id.slot].replies.isEmpty
            && !connections[id.slot].isBlocked
    }

    /// Ends a connection whose input has ended and that has nothing left to be answered, behind its last replies: they
    /// may still be in the outbox when this is called while others are carried.
    public mutating func closeIfFinished(_ id: ConnectionID) {
        if isOpen(id), isFinished(id) { outboxes[connections[id.slot].outbox].append(.close(id)) }
    }

    /// The connection is gone: its jobs go back, with no counter changed (protocol, 1.4).
    public mutating func closed(_ id: ConnectionID, now: Instant) {
        guard isOpen(id) else { return }
        let slot = id.slot
        if connections[slot].wait != nil { endWait(slot) }
        if connections[slot].isProducer { producers -= 1 }
        if connections[slot].isWorker { workers -= 1 }
        connections[slot].isOpen = false
        closing.append(slot)
        finishClosing(now: now)
    }

    /// Jobs of connections that are gone which are given back in one go: others must not wait for a client that held a
    /// million.
    static let closingChunk = 1000

    /// Goes on with giving back the jobs of connections that are gone.
    mutating func finishClosing(now: Instant) {
        var left = Queue.closingChunk
        while let slot = closing.first {
            // In the order of their reservation, as beanstalkd does.
            while left > 0, connections[slot].lastHeld >= 0 {
                left -= 1
                let job = connections[slot].lastHeld
                unhold(job)
                giveBack(job, now: now)
            }
            guard connections[slot].lastHeld < 0 else { return }
            closing.removeFirst()
            forget(connection: slot, now: now)
        }
    }

    private mutating func forget(connection slot: Int, now: Instant) {
        let used = connections[slot].used
        let watched = connections[slot].watched
        connections.remove(slot)
        tubes[used].using -= 1
        tubeReleased(used, now: now)
        for tube in watched { stopWatching(tube, now: now) }
    }

    // MARK: Replies

    /// Answers the command at hand.
    mutating func answer(_ slot: Int, _ reply: Reply, now: Instant) {
        if connections[slot].replies.isEmpty {
            send(reply, to: id(of: slot))
        } else {
            connections[slot].replies.append(reply)
        }
    }

    private mutating func send(_ reply: Reply, to id: ConnectionID) {
        let outbox = connections[id.slot].outbox
        outboxes[outbox].append(.reply(id, reply))
        outboxBytes[outbox] += reply.size
    }

    /// Keeps a place among the replies for an answer that comes later.
    mutating func openReply(_ slot: Int, _ kind: Pipelinable? = nil) -> Ticket {
        if connections[slot].replies.isEmpty { connections[slot].pipelined = kind }
        let place = connections[slot].firstPlace + UInt64(connections[slot].replies.count)
        connections[slot].replies.append(nil)
        return Ticket(connection: id(of: slot), place: place)
    }

    /// The answer that an open reply waited for.
    mutating func fill(_ ticket: Ticket, _ reply: Reply, now: Instant) {
        guard isOpen(ticket.connection) else { return }
        let slot = ticket.connection.slot
        let wasBlocked = connections[slot].isBlocked
        let at = Int(ticket.place - connections[slot].firstPlace)
        if at > 0 {
            connections[slot].replies[at] = reply
            return
        }
        send(reply, to: ticket.connection)
        connections[slot].replies.removeFirst()
        connections[slot].firstPlace += 1
        while let known = connections[slot].replies.first, let known {
            send(known, to: ticket.connection)
            connections[slot].replies.removeFirst()
            connections[slot].firstPlace += 1
        }
        guard connections[slot].replies.isEmpty else {
            if wasBlocked, !connections[slot].isBlocked { resume(slot) }
            return
        }
        connections[slot].pipelined = nil
        if let parked = connections[slot].parked {
            connections[slot].parked = nil
            execute(parked, slot, now: now)
        }
        if wasBlocked || connections[slot].inputEnded { resume(slot) }
    }

    /// Lets the shell go on with a connection, if it may.
    mutating func resume(_ slot: Int) {
        if !connections[slot].isBlocked { outboxes[connections[slot].outbox].append(.resume(id(of: slot))) }
    }

    /// Ends a connection whose truth cannot be told: no answer, never a wrong one (invariant 7).
    mutating func abandon(_ ticket: Ticket) {
        if isOpen(ticket.connection) {
            outboxes[connections[ticket.connection.slot].outbox].append(.close(ticket.connection))
        }
    }
}
