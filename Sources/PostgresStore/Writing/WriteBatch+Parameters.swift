import QueueCore

/// Encodes a batch as the arrays of the writer's statements.
extension WriteBatch {
    var putParameters: Parameters {
        var parameters = Parameters()
        parameters.add(epoch)
        parameters.add(int8s: puts.map { Int64($0.id) })
        parameters.add(int4s: puts.map(\.tube))
        parameters.add(int8s: puts.map { Int64($0.job.priority) })
        parameters.add(int8s: puts.map { Int64($0.job.ttr) })
        parameters.add(int8s: puts.map { Int64($0.job.delay) })
        parameters.add(bools: puts.map(\.isLeased))
        parameters.add(bytes: puts.lazy.map(\.job.body))
        return parameters
    }

    /// `now`: when the batch is sent, by the broker's clock.
    func stateChangeParameters(at now: Instant) -> Parameters {
        var parameters = Parameters()
        parameters.add(epoch)
        parameters.add(int8s: stateChanges.map { Int64($0.id) })
        parameters.add(int2s: stateChanges.map(\.to.rawValue))
        parameters.add(int8s: stateChanges.map { Int64($0.priority) })
        parameters.add(int8s: stateChanges.map { Int64($0.delay) })
        parameters.add(bools: stateChanges.map(\.setsDue))
        parameters.add(bools: stateChanges.map(\.keepsLease))
        parameters.add(int4s: stateChanges.map { Int32(clamping: $0.counters.reserves) })
        parameters.add(int4s: stateChanges.map { Int32(clamping: $0.counters.timeouts) })
        parameters.add(int4s: stateChanges.map { Int32(clamping: $0.counters.releases) })
        parameters.add(int4s: stateChanges.map { Int32(clamping: $0.counters.buries) })
        parameters.add(stateChanges.map(\.reservations), at: now)
        parameters.add(isSole)
        return parameters
    }

    func annotateParameters(at now: Instant) -> Parameters {
        var parameters = Parameters()
        parameters.add(epoch)
        parameters.add(int8s: annotations.map { Int64($0.id) })
        parameters.add(int8s: annotations.map { $0.reserved?.since ?? -1 })
        parameters.add(int8s: annotations.map { $0.reserved?.left ?? 0 })
        parameters.add(int4s: annotations.map { Int32(clamping: $0.counters.reserves) })
        parameters.add(int4s: annotations.map { Int32(clamping: $0.counters.timeouts) })
        parameters.add(annotations.map(\.reservations), at: now)
        parameters.add(isSole)
        return parameters
    }

    var deleteParameters: Parameters {
        var parameters = Parameters()
        parameters.add(epoch)
        parameters.add(int8s: deletes.map { Int64($0.id) })
        parameters.add(isSole)
        return parameters
    }

    /// `deletes`: those that go into the history.
    func archiveParameters(_ deletes: [(id: JobID, ending: Ending)], at now: Instant) -> Parameters {
        var parameters = Parameters()
        parameters.add(epoch)
        parameters.add(int8s: deletes.map { Int64($0.id) })
        parameters.add(bools: deletes.map(\.ending.isFinished))
        parameters.add(int4s: deletes.map { Int32(clamping: $0.ending.counters.reserves) })
        parameters.add(int4s: deletes.map { Int32(clamping: $0.ending.counters.timeouts) })
        parameters.add(deletes.map(\.ending.reservations), at: now)
        parameters.add(isSole)
        return parameters
    }

    var leaseParameters: Parameters {
        var parameters = Parameters()
        parameters.add(epoch)
        parameters.add(int8s: leases.map { Int64($0) })
        return parameters
    }
}

extension Parameters {
    /// Adds two arrays: the microseconds since the first and since the last reservation, -1 for never.
    fileprivate mutating func add(_ reservations: [Reservations], at now: Instant) {
        func age(_ time: Instant) -> Int64 { time == .never ? -1 : max(0, (now - time).microseconds) }
        add(int8s: reservations.map { age($0.first) })
        add(int8s: reservations.map { age($0.last) })
    }
}
