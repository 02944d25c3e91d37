import TestKit
import Testing

@testable import PostgresStore
@testable import QueueCore

@Suite("A tube has at most one job with a key")
struct UniquePutTests {
    let broker: TestBroker
    let db: Database

    init() throws {
        broker = try TestBroker()
        db = broker.db
    }

    private func put(_ id: JobID, _ key: String = "k", delay: UInt32 = 0, body: Body = [1]) -> Query {
        .putUnique(
            UniquePut(
                id: id, tube: broker.tube, key: key, job: NewJob(priority: 7, delay: delay, ttr: 60, body: body)))
    }

    private func outcomes(_ answers: [Answer]) -> [String] {
        answers.map { answer in
            switch answer {
            case .put(let outcome): "\(outcome)"
            case .refused(.busy): "contested"
            default: "\(answer)"
            }
        }
    }

    private let inserted = "inserted"
    private func exists(_ id: JobID, _ state: StoredState = .ready, isReserved: Bool = false) -> String {
        "\(UniquePut.Outcome.exists(id, state, isReserved: isReserved))"
    }

    @Test func aKeyIsPutOnceWithinATransaction() throws {
        let answers = try broker.ask([put(1), put(2), put(3, "other", delay: 9), put(4, "other")])
        #expect(outcomes(answers) == [inserted, exists(1), inserted, exists(3, .delayed)])
        #expect(
            try db.rows("select id, key, priority, state, delay, ttr, body from job order by id")
                == #"(1,k,7,0,0,60,"\\x01") (3,other,7,1,9,60,"\\x01")"#)
        #expect(try db.countsAgree())
    }

    @Test func aSecondPutIsToldTheStateOfTheFirstJob() throws {
        _ = try broker.ask(put(1))
        try db.run(
            "update job set state = 2, lease_epoch = \(broker.epoch), reserved_at = now(), bury_order = 1 where id = 1")
        #expect(outcomes([try broker.ask(put(2))]) == [exists(1, .buried, isReserved: true)])
        let peer = try broker.peer()
        try broker.die()
        #expect(outcomes([try peer.ask(put(2))]) == [exists(1, .buried)])
    }

    @Test func aKeyIsFreeAfterTheDeleteOfItsJob() throws {
        _ = try broker.ask(put(1))
        let answers = try broker.ask([.delete(1), put(2)])
        #expect(outcomes([answers[1]]) == [inserted])
    }

    @Test func plainPutsHaveNoKey() throws {
        try broker.put(broker.put(1), broker.put(2))
        #expect(try db.number("select count(*) from job where key is null") == 2)
    }

    /// The broker does not wait for the end of a transaction that has put the key, and the other puts succeed.
    @Test func aKeyOfAnOpenTransactionIsContested() throws {
        let sql = try db.session()
        try sql.run(
            """
            begin;
            insert into job (id, tube_id, key, priority, state, ttr, delay, created_at, due_at, body)
            values (9, \(broker.tube), 'k', 0, 0, 60, 0, now(), now(), 'sql')
            """)
        #expect(
            outcomes(try broker.ask([put(1), put(2, "other"), put(3), put(4, "k2"), put(5, "k2")]))
                == ["contested", inserted, "contested", inserted, exists(4)])
        #expect(outcomes([try broker.ask(put(1))]) == ["contested"])
        #expect(try db.countsAgree())
        try sql.run("commit")
        #expect(outcomes([try broker.ask(put(1))]) == [exists(9)])
        // A delete counts once it has committed.
        try sql.run("begin; delete from job where id = 9")
        #expect(outcomes([try broker.ask(put(1))]) == [exists(9)])
        try sql.run("commit")
        #expect(outcomes([try broker.ask(put(1))]) == [inserted])
    }

    @Test("invariant 7: a put whose answer was lost is neither repeated nor forgotten")
    func aLostCommit() throws {
        try db.makeDoze(before: "insert on ledger")
        broker.send([put(1), put(2)])
        try db.waitUntilDozing(broker.querying)
        try db.terminate(broker.querying)
        #expect(outcomes(try broker.client.answers(2)) == [inserted, exists(1)])
        #expect(try db.rows("select id from job") == "(1)")
        #expect(try db.countsAgree())
    }
}
