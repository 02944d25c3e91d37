import TestKit
import Testing

/// Brokers that connect to the database through PgBouncer.
@Suite("PgBouncer", .beanrowOnly) struct PgBouncerTests {
    let postgres: TestPostgres
    let schema: String

    init() throws {
        postgres = try TestPostgres.shared()
        schema = postgres.freshSchema()
    }

    private func broker(through pooler: PgBouncer) throws -> BrokerProcess {
        try BrokerProcess.start(schema: schema, database: pooler.connectionString)
    }

    @Test func inSessionModeABrokerServes() throws {
        let pooler = try PgBouncer(.session, before: postgres)
        let broker = try broker(through: pooler)
        let client = try broker.connect()
        try client.send("put 0 0 60 1\r\na\r\n")
        try client.expect("INSERTED 1")
        try client.send("reserve\r\n")
        try client.expect("RESERVED 1 1")
        try client.expect("a")
        #expect(try postgres.psql("select count(*) from \(schema).job where id = 1") == "1")
        try client.send("delete 1\r\n")
        try client.expect("DELETED")
        #expect(try postgres.psql("select count(*) from \(schema).job") == "0")
        #expect(try broker.stop() == 0)
    }

    /// A job that one broker makes ready is given to a client that waits at the other, in both directions.
    @Test func inSessionModeBrokersNotifyEachOther() throws {
        let pooler = try PgBouncer(.session, before: postgres)
        let brokers = [try broker(through: pooler), try broker(through: pooler)]
        for (here, there) in [(brokers[0], brokers[1]), (brokers[1], brokers[0])] {
            let worker = try there.connect()
            try worker.send("watch jobs\r\nreserve\r\n")
            try worker.expect("WATCHING 2")
            try eventually("its wait is known") {
                try postgres.psql("select count(*) from \(schema).tube_awaited where tube = 'jobs'") == "1"
            }
            let producer = try here.connect()
            try producer.send("use jobs\r\nput 0 0 60 1\r\na\r\n")
            try producer.expect("USING jobs")
            let id = try producer.expectInserted()
            #expect(try worker.expectJob().id == id)
            try worker.send("delete \(id)\r\n")
            try worker.expect("DELETED")
        }
    }

    /// The pooler gives the latest or the oldest idle session, of one or of several.
    @Test(arguments: [PgBouncer.Mode.transaction, .statement], [(0, 1), (0, 3), (1, 1), (1, 2), (1, 3)])
    func withoutSessionsOfItsOwnNoBrokerStarts(mode: PgBouncer.Mode, pool: (roundRobin: Int, servers: Int)) throws {
        let pooler = try PgBouncer(mode, before: postgres, settings: ["server_round_robin = \(pool.roundRobin)"])
        try pooler.open(servers: pool.servers)
        #expect {
            _ = try broker(through: pooler)
        } throws: { error in
            let said = "\(error)"
            return said.contains("exited with 1") && said.contains("Set pool_mode = session for this database")
        }
        #expect(try postgres.psql("select count(*) from pg_namespace where nspname = '\(schema)'") == "0")
    }
}
