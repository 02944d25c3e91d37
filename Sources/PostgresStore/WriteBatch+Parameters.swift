import QueueCore

/// A batch as the arrays of the writer's statements.
extension WriteBatch {
    var putParameters: Parameters {
        var parameters = Parameters()
        parameters.add(epoch)
        parameters.add(int8s: puts.map { Int64($0.id) })
        parameters.add(int4s: puts.map(\.tube))
        parameters.add(int8s: puts.map { Int64($0.priority) })
        parameters.add(int8s: puts.map { Int64($0.ttr) })
        parameters.add(int8s: puts.map { Int64($0.delay) })
        parameters.add(bools: puts.map(\.isLeased))
        parameters.add(bytes: puts.lazy.map(\.body))
        return parameters
    }

    var moveParameters: Parameters {
        var parameters = Parameters()
        parameters.add(epoch)
        parameters.add(int8s: moves.map { Int64($0.id) })
        parameters.add(int2s: moves.map(\.to.rawValue))
        parameters.add(int8s: moves.map { Int64($0.priority) })
        parameters.add(int8s: moves.map { Int64($0.delay) })
        parameters.add(bools: moves.map(\.setsDue))
        parameters.add(bools: moves.map(\.keepsLease))
        parameters.add(int4s: moves.map { Int32(clamping: $0.counters.reserves) })
        parameters.add(int4s: moves.map { Int32(clamping: $0.counters.timeouts) })
        parameters.add(int4s: moves.map { Int32(clamping: $0.counters.releases) })
        parameters.add(int4s: moves.map { Int32(clamping: $0.counters.buries) })
        parameters.add(isSole)
        return parameters
    }

    var annotateParameters: Parameters {
        var parameters = Parameters()
        parameters.add(epoch)
        parameters.add(int8s: annotations.map { Int64($0.id) })
        parameters.add(int8s: annotations.map { $0.reserved?.since ?? -1 })
        parameters.add(int8s: annotations.map { $0.reserved?.left ?? 0 })
        parameters.add(int4s: annotations.map { Int32(clamping: $0.counters.reserves) })
        parameters.add(int4s: annotations.map { Int32(clamping: $0.counters.timeouts) })
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

    var leaseParameters: Parameters {
        var parameters = Parameters()
        parameters.add(epoch)
        parameters.add(int8s: leases.map { Int64($0) })
        return parameters
    }
}
