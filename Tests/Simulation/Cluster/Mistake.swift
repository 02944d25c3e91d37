/// A planted mistake of a store or shell: a canary, which the simulation has to find.
package enum Mistake: String, CaseIterable, Sendable {
    /// A writer reports that a batch has committed when it has sent it.
    case acknowledgesFirst
    /// The database commits what a dead epoch sends.
    case noFence
    /// A refill takes jobs that another living broker has leased.
    case refillIgnoresLeases
    /// A batch whose answer was lost is taken for committed without a look at the ledger.
    case lookUpGuesses
    /// The look-up reads the ledger and claims nothing: a batch that was on its way can still commit.
    case lookUpClaimsNothing
    /// The claim of a look-up whose own answer was lost is taken for the batch.
    case lookUpMeetsItself
    /// A batch whose answer was lost is sent again.
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
    /// A tube that has changed is read once, whatever becomes known of it meanwhile.
    case countsOnce
    /// A put does not check whether its tube is being removed.
    case putsIntoRemoved
    /// The server loses its last commits in a crash.
    case crashLosesCommits
}
