/// A mistake of a store or shell, planted to see that it is found: a canary.
package enum Mistake: String, CaseIterable, Sendable {
    /// A writer says that a batch has committed when it has sent it.
    case acknowledgesFirst
    /// The database commits what a dead epoch sends.
    case noFence
    /// A refill takes jobs that another living broker has leased.
    case refillIgnoresLeases
    /// A batch whose answer was lost is taken for committed, without a look at the ledger.
    case lookUpGuesses
    /// The look-up reads the ledger and claims nothing: what was on its way can still happen.
    case lookUpClaimsNothing
    /// The claim of a look-up whose own answer was lost is taken for the batch.
    case lookUpMeetsItself
    /// A batch whose answer was lost is simply sent again.
    case rerunsBlindly
    /// What the reader had done when its answer was lost is taken for undone.
    case readerForgets
    /// The sole broker ends being that without writing the leases in use.
    case soleForgetsLeases
    /// A broker serves though another one is the sole one.
    case joinsAtOnce
    /// A heartbeat counts from when its answer came, not from when it was sent.
    case countsFromArrival
    /// A broker is declared dead while its own clock still lets it give out jobs.
    case declaresDeadEarly
    /// A broker is declared dead when its last heartbeat is old by the database's clock, which somebody sets.
    case declaresDeadByDatabaseClock
    /// A SQL session takes a job for free whose row tells of no reservation.
    case trustsRows
    /// A broker becomes the sole one while SQL sessions have jobs.
    case soleBesideSQL
    /// A tube that has changed is read once, whatever has become known of it meanwhile.
    case countsOnce
    /// A put does not look whether its tube is being removed.
    case putsIntoRemoved
    /// The server forgets its last commits in a crash.
    case crashLosesCommits
}
