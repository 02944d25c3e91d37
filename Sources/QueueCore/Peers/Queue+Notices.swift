/// What this broker has to tell others (docs/ARCHITECTURE.md, Several brokers).
///
/// A broker whose commit leaves a ready job to anybody tells the brokers whose clients wait for the tube. Notices
/// only save time: a poll each second finds what a lost notice would have told.
public struct Notices: Sendable {
    public var epoch: Int64 = 0
    /// The smallest key that has become claimable, by tube.
    public var readied: [TubeID: JobKey] = [:]
    /// Those tubes that are new. All brokers are told of them, whether their clients wait or not.
    public var opened: Set<TubeID> = []
    /// Whether clients here wait for a tube, where that has changed.
    public var waits: [TubeName: Bool] = [:]

    var isEmpty: Bool { readied.isEmpty && waits.isEmpty }
}

/// A notice from another broker: a job that it has made claimable, or a new tube.
public struct Notice: Sendable {
    public let tube: TubeID
    public let name: TubeName
    public let key: JobKey

    public init(tube: TubeID, name: TubeName, key: JobKey) {
        self.tube = tube
        self.name = name
        self.key = key
    }
}

extension Queue {
    /// For so many polls no client must have waited for a tube, or got a job of it, before others are told so.
    static let idlePolls = 5

    /// Whether `takeNotices` has something.
    var hasNotices: Bool { epoch != 0 && !membership.notices.isEmpty }

    /// What has collected for the other brokers; `nil` when there is nothing.
    public mutating func takeNotices() -> Notices? {
        guard hasNotices else { return nil }
        var taken = Notices(epoch: epoch)
        swap(&taken, &membership.notices)
        taken.epoch = epoch
        return taken
    }

    /// The other brokers know now which tubes clients here wait for. What they put before is looked for once. `rows`
    /// are the tubes that exist.
    public mutating func waitsPublished(_ rows: [(tube: TubeID, name: TubeName)], now: Instant) {
        for row in rows { take(Notice(tube: row.tube, name: row.name, key: .first)) }
        conclude(now: now)
    }

    /// A notice from another broker.
    public mutating func noticed(_ notice: Notice, now: Instant) {
        take(notice)
        conclude(now: now)
    }

    mutating func take(_ notice: Notice) {
        guard epoch != 0 else { return }
        guard let tube = tubes.byName[notice.name] else { return tubes.rows.remember(notice.tube, notice.name) }
        if tubes[tube].row != notice.tube {
            setRow(tube, notice.tube)
            tubes[tube].cache.lowerHorizon(to: .first)
        }
        becameClaimable(tube, notice.key)
    }

    /// Notices may have been lost, in both directions.
    public mutating func missedNotices(now: Instant) {
        republishWaits()
        lowerAllHorizons()
        schedule.nextPoll = min(schedule.nextPoll, now)
    }

    // MARK: What is said

    /// A commit of this broker has left a ready job to anybody.
    mutating func tellPeers(_ tube: TubeID, _ key: JobKey) {
        guard peers > 0 else { return }
        membership.notices.readied[tube] = min(membership.notices.readied[tube] ?? .end, key)
    }

    /// A tube has got its row.
    mutating func tellPeers(ofNew tube: TubeID) {
        guard peers > 0 else { return }
        membership.notices.opened.insert(tube)
        membership.notices.readied[tube] = .first
    }

    /// Clients here wait for a tube.
    mutating func publishWait(_ tube: Int) {
        guard peers > 0, !tubes[tube].isAwaited else { return }
        tubes[tube].isAwaited = true
        tubes[tube].idlePolls = 0
        membership.notices.waits[tubes[tube].name] = true
    }

    mutating func republishWaits() {
        for slot in tubes.active where tubes[slot].isAwaited { membership.notices.waits[tubes[slot].name] = true }
    }

    /// Clients here do not wait for the tube any more.
    mutating func withdrawWait(_ tube: Int) {
        guard tubes[tube].isAwaited else { return }
        tubes[tube].isAwaited = false
        membership.notices.waits[tubes[tube].name] = false
    }

    /// Called once a poll: clients come back, so the end of a wait is not told at once.
    mutating func withdrawIdleWaits() {
        for slot in tubes.active where tubes[slot].isAwaited {
            tubes[slot].idlePolls = tubes[slot].waiting > 0 ? 0 : tubes[slot].idlePolls + 1
            if tubes[slot].idlePolls >= Queue.idlePolls { withdrawWait(slot) }
        }
    }
}
