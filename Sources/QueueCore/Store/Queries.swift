/// Queries in the order in which they are asked and answered, and answers that cannot be used yet.
struct Queries {
    var waiting: [PendingQuery] = []
    /// Queries whose answers are awaited.
    var inFlight: [PendingQuery] = []
    var inFlightSince = Instant.never
    /// The epoch under which they were asked.
    var epoch: Int64 = 0
    /// Queries that met a lock and are asked again.
    var postponed: [PendingQuery] = []
    /// Answers about rows of tubes that are not known yet.
    var answersAwaitingTubes: [(query: PendingQuery, answer: Answer)] = []
    /// Answers that would give a job to a client, and came after the epoch's validity had ended.
    var answersAwaitingRenewal: [(query: PendingQuery, answer: Answer)] = []
}
