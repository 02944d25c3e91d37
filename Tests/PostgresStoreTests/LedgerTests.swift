import Foundation
import Synchronization
import TestKit
import Testing

@testable import PostgresStore
@testable import QueueCore

@Suite("The outcome of a batch can be looked up")
struct LedgerTests {
    let db: Database
    let epoch: Int64

    init() throws {
        db = try Database()
        epoch = try db.addBroker()
    }

    /// Looks up a batch on its own thread, since the look-up may have to wait.
    private final class LookUp: Sendable {
        private let ended = DispatchSemaphore(value: 0)
        private let result = Mutex<Swift.Result<Bool, any Error>?>(nil)

        init(_ configuration: StoreConfiguration, epoch: Int64, batch: Int64) {
            Thread.detachNewThread { [self] in
                let found = Swift.Result {
                    let session = try Session.open(configuration, Statement.writer)
                    try session.enterPipeline()
                    return try Ledger.lookUp(session, epoch: epoch, writer: 0, batch: batch)
                }
                result.withLock { $0 = found }
                ended.signal()
            }
        }

        func isCommitted() throws -> Bool {
            guard ended.wait(timeout: .now() + patience) == .success else {
                throw WireMismatch("the look-up did not end")
            }
            return try result.withLock { try $0!.get() }
        }
    }

    private func lookUp(_ batch: Int64, _ task: String = "look") -> LookUp {
        LookUp(db.configuration(task), epoch: epoch, batch: batch)
    }

    private func insert(_ batch: Int64, _ session: PostgresStore.Connection) throws {
        try session.run("insert into ledger (epoch, writer, batch) values (\(epoch), 0, \(batch))")
    }

    @Test func aCommittedBatchIsFound() throws {
        try insert(1, db.connection)
        #expect(try lookUp(1).isCommitted())
        // The same after the death of the epoch.
        try db.removeBroker(epoch)
        #expect(try lookUp(1).isCommitted())
    }

    @Test func aBatchThatWasNotCommittedCanNeverCommit() throws {
        #expect(try !lookUp(1).isCommitted())
        // A look-up may be repeated: its answer may have been lost.
        #expect(try !lookUp(1).isCommitted())
        // The look-up has claimed the key of the batch.
        #expect { try insert(1, db.connection) } throws: { ($0 as? StoreError)?.sqlState == "23505" }
    }

    @Test func aBatchOfADeadEpochIsNotFound() throws {
        try db.removeBroker(epoch)
        #expect(try !lookUp(7).isCommitted())
    }

    @Test(arguments: [true, false]) func anOpenTransactionIsWaitedFor(_ commits: Bool) throws {
        let session = try db.session()
        try session.run("begin")
        try insert(1, session)
        let lookUp = lookUp(1)
        try db.waitUntilBlocked("look")
        try session.run(commits ? "commit" : "rollback")
        #expect(try lookUp.isCommitted() == commits)
    }

    @Test func keysOfOtherWritersAndEpochsDoNotCount() throws {
        try db.run(
            "insert into ledger (epoch, writer, batch) values (\(epoch), 1, 1), (\(epoch + 1), 0, 1), (\(epoch), 0, 2)")
        #expect(try !lookUp(1).isCommitted())
    }

    /// The delete of a broker's row waits for its batches in flight, so none commits after its death.
    @Test func deathWaitsForABatchInFlight() throws {
        let session = try Session.open(db.configuration("batch"), Statement.writer)
        try session.run("begin; set local idle_in_transaction_session_timeout to 0")
        _ = try session.execute(.ledger, Ledger.entry(epoch: epoch, 0, 1, changes: []))
        let (conninfo, schema, epoch) = (db.configuration("killer").database, db.schema, epoch)
        let died = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            let killer = try? Connection(conninfo)
            try? killer?.run(
                "set search_path to \(identifier(schema)); delete from broker where epoch = \(epoch);"
                    + "delete from fence where epoch = \(epoch)")
            died.signal()
        }
        try db.waitUntilBlocked("killer")
        try session.run("commit")
        #expect(died.wait(timeout: .now() + patience) == .success)
        #expect(try db.rows("select epoch from broker") == "")
        #expect { try session.execute(.ledger, Ledger.entry(epoch: epoch, 0, 2, changes: [])) } throws: {
            ($0 as? StoreError)?.isFenced == true
        }
    }
}
