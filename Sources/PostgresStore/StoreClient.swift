public import QueueCore

/// The queue as the store's threads see it. Each call is short and may come from any thread.
public protocol StoreClient: AnyObject, Sendable {
    /// Takes all writes that have collected, if they are at least `count` operations; else the client wakes the writer when
    /// they are.
    func takeWrites(_ kind: WriteKind, atLeast count: Int) -> WriteBatch?
    /// Takes the outcomes of a batch's parts.
    /// - Returns: The number of operations that have collected meanwhile.
    func finish(_ kind: WriteKind, _ parts: [(batch: WriteBatch, outcome: WriteOutcome)]) -> Int
    func takeQueries() -> [PendingQuery]
    func finish(_ queries: [PendingQuery], _ answers: [Answer])
    /// The queries were not run, since the epoch is dead.
    func fenced(_ queries: [PendingQuery])

    /// This broker has been registered. Its validity counts from `sentAt`, when the registration was sent.
    func attach(epoch: Int64, isSole: Bool, tubes: [TubeRow], sentAt: Instant)
    /// A heartbeat has committed.
    /// - Parameters:
    ///   - sentAt: When it was sent: the broker's validity counts from then.
    ///   - peers: The number of other brokers that live.
    ///   - hasLostPeer: A broker that lived at the last heartbeat is gone.
    ///   - isSole: What the broker's row says.
    func renew(sentAt: Instant, peers: Int, hasLostPeer: Bool, isSole: Bool)
    /// True if this broker should become the sole one.
    var wantsSole: Bool { get }
    /// This broker has become the sole one.
    func becameSole()
    /// The tubes to read for their counts and to pass to `learn`.
    func beginCounting() -> Recount
    /// Takes tubes as they were at some time after `readAt`. `isLast`: this call ends the reading.
    func learn(_ tubes: [TubeRow], isLast: Bool, readAt: Instant)
    /// The tubes of these that nobody uses here.
    func unneeded(_ tubes: [TubeID]) -> [TubeID]
    /// The rows of these tubes have been deleted.
    func removed(_ tubes: [TubeID])
    /// Takes the policies of all tubes that have one.
    func learn(policies: [TubePolicy])
    /// The epoch is dead.
    func detach()
    /// A writer's connection was lost, and is replaced.
    func reconnected()

    /// The keeper's connection was lost, and is replaced. The sequence may have gone back, so unused ids may belong to
    /// others by now.
    func forgetIDs()
    /// How many ids the client asks for; `nil` for none.
    func takeIDRequest() -> Int?
    func add(ids: [ClosedRange<JobID>])
    func idRequestFailed()
    /// Takes the last id that anybody has taken from the sequence.
    func learn(lastID: JobID)
    /// Takes the counts of held jobs that have changed since the last call.
    func takeHeldCounts() -> [(tube: TubeID, counts: StateCounts)]

    /// How many changes `takeActivity` has to tell, about.
    var untoldActivity: Int { get }
    /// What was done in up to `limit` tubes since it was last told.
    func takeActivity(limit: Int) -> [ActivityChange]
    /// The tubes that have jobs, and the jobs of all tubes.
    func tubeLevels() -> (tubes: [TubeLevel], all: JobCounts)

    func takeNotices() -> Notices?
    /// Other brokers know that clients here wait for tubes. These are the ones of them that exist.
    func waitsPublished(_ tubes: [(tube: TubeID, name: TubeName)])
    /// Takes the tubes for which clients of other brokers wait, or did a moment ago.
    func othersAwait(_ tubes: Set<TubeName>)
    /// Takes notices of other brokers about jobs that are ready and about new tubes.
    func noticed(_ notices: [Notice])
    /// Notices of other brokers may have been lost.
    func missedNotices()

    /// The broker's epoch; 0 while it has none.
    var epoch: Int64 { get }
    /// A SQL session waits until this broker has given back the leases that it does not need (recall `number`).
    func leasesRecalled(_ number: Int64)
    /// SQL sessions reserve jobs: the broker shares with them.
    func shareWithSQL()
    /// Takes the changes of SQL sessions, read at some time after `readAt`.
    func learn(_ changes: [SQLChange], readAt: Instant)
    /// Changes of SQL sessions may be in the counts without having been passed to `learn`.
    func othersCounted()

    func now() -> Instant
}
