import DequeModule

/// Replies are sent in the order of their commands, while the commits that some of them wait for overlap.
extension Queue {
    /// Answers the command that is being executed.
    mutating func answer(_ slot: Int, _ reply: Reply) {
        if connections[slot].replies.isEmpty {
            send(reply, to: id(of: slot))
        } else {
            connections[slot].replies.append(reply)
        }
    }

    private mutating func send(_ reply: Reply, to id: ConnectionID) {
        connections.outboxes.put(reply, for: id, into: connections[id.slot].outbox)
    }

    /// Reserves a place among the replies for an answer that comes later.
    mutating func openReply(_ slot: Int, _ kind: Pipelinable? = nil) -> Ticket {
        if connections[slot].replies.isEmpty { connections[slot].pipelined = kind }
        let place = connections[slot].firstPlace + UInt64(connections[slot].replies.count)
        connections[slot].replies.append(nil)
        return Ticket(connection: id(of: slot), place: place)
    }

    /// The answer that an open reply has waited for. Sends it, and the replies behind it that are known, or keeps it
    /// until the replies before it are known.
    mutating func fill(_ ticket: Ticket?, _ reply: Reply) {
        guard let ticket, isOpen(ticket.connection) else { return }
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
        let hasAll = connections[slot].replies.isEmpty
        if hasAll { connections[slot].pipelined = nil }
        if wasBlocked || hasAll && connections[slot].inputEnded { mark(connection: slot) }
    }

    /// Closes a connection to which nothing true can be said: no answer is better than a wrong one
    /// (docs/ARCHITECTURE.md, Invariants).
    mutating func abandon(_ ticket: Ticket?) {
        if let ticket, isOpen(ticket.connection) {
            connections.put(.close(ticket.connection), for: ticket.connection.slot)
        }
    }
}
