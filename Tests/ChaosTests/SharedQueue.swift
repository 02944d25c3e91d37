import Foundation
import TestKit

@testable import PostgresStore

/// The jobs of a run's clients, in the brokers' database.
struct SharedQueue {
    let postgres: TestPostgres
    let schema: String
    let brokers: [Broker]

    /// All jobs, with the bodies that clients have put.
    private func jobs() throws -> [History.LeftJob] {
        let connection = try Connection(postgres.connectionString)
        let jobs = Statement(
            name: "", sql: "select id, body from \(identifier(schema)).jobs where tube like 'chaos-%' order by id")
        try connection.prepare([jobs])
        let rows = try connection.execute(jobs)
        return (0..<rows.count).map { row in
            History.LeftJob(
                id: UInt64(rows.int64(row, 0)), body: Body(String(decoding: rows.bytes(row, 1), as: UTF8.self)))
        }
    }

    /// The stored rows of the remaining jobs, and the brokers, to find out why they remain.
    var description: String {
        get throws {
            try postgres.psql(
                """
                set search_path to \(schema);
                select id, tube_id, state, lease_epoch, reserved_at, due_at, reserves, timeouts, releases, kicks from job
                where tube_id in (select id from tube where name like 'chaos-%') limit 20;
                select * from broker;
                select now();
                """)
        }
    }

    /// Vacuums the tables. A server that is killed every few seconds forgets each time which tables have dead rows, so
    /// autovacuum does nothing, and after half an hour dead rows would fill the disk.
    func vacuum() throws { _ = try postgres.psql("vacuum") }

    /// Waits until the workers have taken all jobs, as long as they make progress.
    ///
    /// - Returns: The jobs that no worker was given.
    func drain() throws -> [History.LeftJob] {
        var fewest = Int.max
        var empty = 0
        var patience = ContinuousClock.now + .seconds(60)
        while ContinuousClock.now < patience {
            try? kickAll()
            let count = try jobs().count
            if count < fewest {
                fewest = count
                patience = .now + .seconds(60)
            }
            // A put without an answer may be committed late.
            empty = count == 0 ? empty + 1 : 0
            if empty == 10 { return [] }
            Thread.sleep(forTimeInterval: 0.2)
        }
        return try jobs()
    }

    private func kickAll() throws {
        let client = try brokers[0].connect()
        for tube in Client.tubes {
            try client.send("use \(tube)\r\nkick 1000\r\n")
            try client.expect("USING \(tube)")
            try client.expectPrefix("KICKED ")
        }
    }
}
