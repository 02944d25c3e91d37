import LogKeys
import Logging
import QueueCore

/// The beginning and the end of an epoch, and who is the sole broker.
extension Keeper {
    func register(_ connection: Connection) throws {
        peers = try declareDead(connection)
        var parameters = Parameters()
        let sentAt = client.now()
        parameters.add(ProcessSpace.host)
        parameters.add(ProcessSpace.pid)
        parameters.add(ProcessSpace.name)
        parameters.add(try beginLocked(connection) == nil)
        parameters.add(Int64(configuration.maxJobSize))
        let rows = try connection.execute(.register, parameters)
        try connection.commit()
        let column = rows.columns(RegistrationColumns.self)
        epoch = rows[0, column.epoch]
        isSole = rows[0, column.isSole]
        isJoining = true
        known = nil
        upkeep.reset()
        beats = 0
        heartbeatSentAt = sentAt
        nextHeartbeat = sentAt + StoreTiming.heartbeatInterval
        logger.debug("registered", metadata: [LogKey.epoch: "\(epoch)"])
    }

    /// Begins a transaction in which this broker may become the sole one: it keeps other brokers from registering and SQL
    /// sessions from working. If that does not succeed, the broker may register all the same, and shares.
    /// - Returns: What keeps it from becoming the sole one.
    private func beginLocked(_ connection: Connection) throws -> String? {
        try connection.run(Statement.beginDurably)
        do {
            _ = try connection.execute(.lockBrokers)
        } catch let error as StoreError where error.isLockTimeout {
            try connection.rollBack()
            try connection.run(Statement.beginDurably)
            return "another session has locked the table of brokers"
        }
        return try connection.execute(.holdOffSQL).value(Bool.self)
            ? nil : "a transaction that has called functions of SQL is open"
    }

    /// Begins to serve once no other broker is the sole one.
    func join(_ connection: Connection) throws {
        guard try connection.execute(.otherSole, ownEpoch).count == 0 else { return }
        var changes = try TubeChanges(since: nil, .all, epoch: epoch, at: client.now(), connection)
        var tubes: [TubeRow] = []
        repeat {
            tubes += try changes.next(connection)
            guard try renewEpoch(connection) != nil else { return }
        } while !changes.isRead
        isJoining = false
        // At once: the heartbeat tells how many others there are.
        nextHeartbeat = client.now()
        client.learn(policies: changes.policies ?? [])
        client.attach(epoch: epoch, isSole: isSole, tubes: tubes, sentAt: heartbeatSentAt)
        known = changes
        started(connection)
    }

    func becomeSole(_ connection: Connection) throws {
        var own = ownEpoch
        let obstacle = try beginLocked(connection)
        own.add(obstacle == nil)
        let isSole = try connection.execute(.becomeSole, own).changed == 1
        try connection.commit()
        if isSole {
            obstacles.end()
            client.becameSole()
        } else {
            obstacles.met(obstacle ?? "a SQL session has jobs", at: client.now())
        }
    }

    /// Ends the epoch, without the database, and has the broker register again.
    func abandonEpoch(_ reason: String) {
        logger.error(
            "\(reason): giving up all leases and registering again", metadata: [LogKey.epoch: "\(epoch)"])
        monitor.abandoned = epoch
        epoch = 0
        client.detach()
    }

    func unregister(_ connection: Connection) throws {
        guard epoch != 0 else { return }
        // First: once the row is gone, others may have what this broker would still give out.
        client.detach()
        try upkeep.finish(connection, epoch: epoch)
        _ = try connection.execute(.unregister, ownEpoch)
        epoch = 0
    }

    var ownEpoch: Parameters {
        var parameters = Parameters()
        parameters.add(epoch)
        return parameters
    }
}

struct RegistrationColumns: RowColumns {
    let epoch: Column<Int64>
    let isSole: Column<Bool>

    init(_ column: inout ColumnFinder) {
        epoch = column("epoch")
        isSole = column("is_sole")
    }
}
