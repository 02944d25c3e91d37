public import QueueCore

/// The queue as the store's threads see it. Every call is short and may come from any thread.
public protocol StoreClient: AnyObject, Sendable {
    /// Everything that has collected, if that is at least so much; else the writer is to be woken when it is.
    func takeWrites(_ kind: WriteKind, atLeast count: Int) -> WriteBatch?
    /// - Returns: how many operations have collected meanwhile.
    func finish(_ kind: WriteKind, _ parts: [(batch: WriteBatch, outcome: WriteOutcome)]) -> Int
    func takeQueries() -> [PendingQuery]
    func finish(_ queries: [PendingQuery], _ answers: [Answer])
    /// The queries were not done, since the epoch is dead.
    func fenced(_ queries: [PendingQuery])

    /// This broker has been registered; its validity counts from `sentAt`, when that was asked for.
    func attach(epoch: Int64, isSole: Bool, tubes: [TubeRow], sentAt: Instant)
    /// The heartbeat of `sentAt` was taken; `hasLostPeer`: one that lived before does so no more; `isSole`: what the
    /// broker's row says.
    func renew(sentAt: Instant, peers: Int, hasLostPeer: Bool, isSole: Bool)
    /// Whether the database is to be asked to make this broker the sole one; and: it has.
    var wantsSole: Bool { get }
    func becameSole()
    /// Which tubes are to be read for their counts, and then learnt.
    func beginCounting() -> Recount
    /// Tubes as they were at some time after `readAt`; `isLast`: no more of the same reading come.
    func learn(_ tubes: [TubeRow], isLast: Bool, readAt: Instant)
    /// Those of the rows that no tube here has.
    func unneeded(_ tubes: [TubeID]) -> [TubeID]
    /// These rows are no more.
    func removed(_ tubes: [TubeID])
    /// The policies of all tubes that have one.
    func learn(policies: [TubePolicy])
    /// The epoch is dead.
    func detach()
    /// A writer's connection was lost and is back.
    func reconnected()

    /// The keeper's connection was lost and is back: ids that were not used may be given to others by now.
    func forgetIDs()
    func takeIDRequest() -> Int?
    func add(ids: [ClosedRange<JobID>])
    func idRequestFailed()
    /// Counts of held jobs that have changed since they were last taken.
    func takeHeldCounts() -> [(tube: TubeID, counts: StateCounts)]

    func takeNotices() -> Notices?
    /// Other brokers know that clients here wait for tubes; these of them exist.
    func waitsPublished(_ tubes: [(tube: TubeID, name: TubeName)])
    /// Jobs, or tubes, that other brokers have made.
    func noticed(_ notices: [Notice])
    /// Notices may have been lost.
    func missedNotices()

    /// 0 while there is none.
    var epoch: Int64 { get }
    /// A SQL session waits until this broker has given back what it does not need.
    func leasesRecalled(_ number: Int64)
    /// SQL sessions reserve jobs.
    func shareWithSQL()
    /// What SQL sessions have done, read at some time after `readAt`.
    func learn(_ changes: [SQLChange], readAt: Instant)
    /// What they have done may be in the counts without having been learnt.
    func othersCounted()

    func now() -> Instant
}
