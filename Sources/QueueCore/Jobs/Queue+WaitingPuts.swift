/// A put that has no id yet: it waits for its tube's row, or for ids.
struct PutRequest {
    var job: NewJob
    /// No other job of the tube may have this key.
    var key: String?
    /// Slot of its tube.
    var tube: Int
    var ticket: Ticket
    var issued: Instant
}

/// Puts that wait for their tube's row or for an id, and the asking for both.
extension Queue {
    mutating func addWaitingPut(_ put: PutRequest) {
        puts.waiting.append(put)
        if isOpen(put.ticket.connection) { connections[put.ticket.connection.slot].waitingPuts += 1 }
    }

    /// A put that was issued before has to get a new id, or waits for the next epoch.
    mutating func putAgain(_ put: Put) {
        if put.isLeased { tubes[put.tubeSlot].leasedPuts -= 1 }
        addWaitingPut(PutRequest(job: put.job, tube: put.tubeSlot, ticket: put.ticket, issued: put.issued))
    }

    /// The put leaves `waitingPuts`.
    private mutating func endWaiting(_ put: PutRequest) {
        if isOpen(put.ticket.connection) { connections[put.ticket.connection.slot].waitingPuts -= 1 }
    }

    /// Issues the waiting puts in their order, as far as rows and ids allow.
    ///
    /// A put into a tube whose row a SQL session is making waits for the end of that transaction, and holds up no
    /// other.
    mutating func issueWaitingPuts(now: Instant) {
        var left: [PutRequest] = []
        var index = 0
        while index < puts.waiting.count {
            let put = puts.waiting[index]
            if let row = openRow(put.tube) {
                guard let id = puts.ids.next() else { break }
                endWaiting(put)
                issue(put, id: id, row: row)
            } else {
                open(put.tube, now: now)
                guard tubes[put.tube].isOpeningBlocked else {
                    openAhead(from: index + 1, now: now)
                    break
                }
                left.append(put)
            }
            index += 1
        }
        puts.waiting.replaceSubrange(..<index, with: left)
    }

    // MARK: Rows of tubes

    private mutating func open(_ tube: Int, now: Instant) {
        guard !tubes[tube].isOpening else { return }
        tubes[tube].isOpening = true
        ask(.openTube(tubes[tube].name), pinning: tube, now: now)
    }

    /// Asks for the rows of the next tubes too: a transaction makes many of them as fast as one.
    private mutating func openAhead(from index: Int, now: Instant) {
        for put in puts.waiting[index...].prefix(Queue.maxQueries - 1) where openRow(put.tube) == nil {
            open(put.tube, now: now)
        }
    }

    /// The tube's row has to wait for the end of a SQL session's transaction.
    mutating func openingBlocked(_ tube: Int, now: Instant) {
        guard !tubes[tube].isOpeningBlocked else { return }
        tubes[tube].isOpeningBlocked = true
        issueWaitingPuts(now: now)
    }

    // MARK: Failure

    /// Refuses the puts that have waited since before `limit`.
    mutating func giveUpWaitingPuts(_ limit: Instant) {
        let old = puts.waiting.prefix { $0.issued <= limit }
        puts.waiting.removeFirst(old.count)
        for put in old { fail(put) }
    }

    /// The tube's row could not be made.
    mutating func failWaitingPuts(of tube: Int, now: Instant) {
        let failed = puts.waiting.filter { $0.tube == tube }
        puts.waiting.removeAll { $0.tube == tube }
        for put in failed { fail(put) }
        issueWaitingPuts(now: now)
    }

    private mutating func fail(_ put: PutRequest) {
        endWaiting(put)
        endPut(put.job, of: put.tube, put.ticket, .internalError)
    }
}
