import Testing

@testable import QueueCore
@testable import Simulation

/// A few hundred schedules of several brokers on one database. script/simulate runs thousands, optimized.
@Suite("Simulation")
struct SimulationTests {
    @Test func noInvariantIsBroken() async {
        let report = await Campaign(seeds: 1..<301, workers: 2).run()
        #expect(report.schedules == 300)
        if let failure = report.failure {
            Issue.record(
                """
                seed \(failure.seed), invariant \(failure.violation.invariant): \(failure.violation.what)
                repeat it: script/simulate --seed \(failure.seed)
                """)
        }
    }

    @Test func aPlantedMistakeIsFound() async {
        let report = await Campaign(seeds: 1..<301, mistake: .acknowledgesFirst, workers: 2).run()
        #expect(report.failure != nil)
    }

    /// A seed repeats its schedule.
    @Test func aSeedBringsBackItsSchedule() {
        for seed in UInt64(1)...20 { #expect(Campaign.transcript(of: seed) == Campaign.transcript(of: seed)) }
    }

    @Test func theNaiveDatabaseDoesNotShowWhatIsNotCommitted() {
        let database = Database()
        let now = Instant(nanoseconds: 0)
        let epoch = database.register(at: now)
        let id = database.putForeign(in: "t", at: now)
        let key = Database.LedgerKey(epoch: epoch, writer: 0, batch: 1)
        let prepared = database.prepare([.delete(id, isRecorded: false)], epoch: epoch, at: now)
        #expect(database.rows[id] != nil)
        #expect(
            database.prepare([.delete(id, isRecorded: false)], epoch: epoch, at: now) == nil, "it waits for the lock")
        #expect(prepared.map { database.commit($0, as: key, at: now) } == .committed)
        #expect(database.rows[id] == nil)
        #expect(database.lookUp(key))
    }
}
