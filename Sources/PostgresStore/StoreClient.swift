public import QueueCore

/// The queue as the store's threads see it. Every call is short and may come from any thread.
public protocol StoreClient: AnyObject, Sendable {
    func takeWrites() -> WriteBatch?
    func finish(_ parts: [(batch: WriteBatch, outcome: WriteOutcome)])
    func takeQueries() -> [PendingQuery]
    func finish(_ queries: [PendingQuery], _ answers: [Answer])
    /// The queries were not done, since the epoch is dead.
    func fenced(_ queries: [PendingQuery])

    /// This broker has been registered; its validity counts from `sentAt`, when that was asked for.
    func attach(epoch: Int64, tubes: [TubeRow], sentAt: Instant)
    func renew(sentAt: Instant, peers: Int)
    func learn(_ tubes: [TubeRow])
    /// The epoch is dead.
    func detach()
    /// The writer's connection was lost and is back.
    func reconnected()

    func takeIDRequest() -> Int?
    func add(ids: [ClosedRange<JobID>])
    func idRequestFailed()
    /// Counts of held jobs that have changed since they were last taken.
    func takeHeldCounts() -> [(tube: TubeID, counts: StateCounts)]

    func now() -> Instant
}
