import TestKit
import Testing

/// PostgreSQL stops and starts again; the clients stay connected.
@Suite(.beanrowOnly) struct DatabaseAwayTests {
    @Test func connectionsOutliveTheDatabase() throws {
        let postgres = try TestPostgres.private()
        let server = try BrokerProcess.start(["--database-timeout", "5"], postgres: postgres)
        let producer = try server.connect()
        let waiting = try server.connect()
        try waiting.send("reserve\r\n")
        try server.waitUntil("current-waiting", is: 1)

        try postgres.stop()
        try producer.send("put 0 0 100 4\r\nlost\r\n")
        try producer.expect("INTERNAL_ERROR")
        // Commands that need no database are answered, and the waiting client waits on.
        try producer.send("list-tube-used\r\n")
        try producer.expect("USING default")
        try waiting.expectNothing(within: 0.1)

        try postgres.start()
        // A put into a tube that nobody watches shows when the broker works again.
        try producer.send("use probe\r\n")
        try producer.expect("USING probe")
        try eventually("a put works again") {
            try producer.send("put 0 0 100 1\r\nx\r\n")
            return try producer.readLine().hasPrefix("INSERTED ")
        }
        try producer.send("use default\r\nput 0 0 100 5\r\nfound\r\n")
        try producer.expect("USING default")
        let id = try producer.expectInserted()
        // Not the job of the refused put, which could not be stored.
        try waiting.expect("RESERVED \(id) 5")
        try waiting.expect("found")
        try waiting.send("delete \(id)\r\n")
        try waiting.expect("DELETED")
    }

    @Test func aReservationOutlivesARestartOfTheDatabase() throws {
        let postgres = try TestPostgres.private()
        let server = try BrokerProcess.start(postgres: postgres)
        let client = try server.connect()
        try client.send("put 0 0 100 1\r\na\r\nreserve\r\n")
        try client.expect("INSERTED 1")
        try client.expect("RESERVED 1 1")
        try client.expect("a")

        try postgres.stop()
        try postgres.start()
        // The job is still reserved by this client, or ready again. Both ways it can be deleted once.
        try eventually("the database is used again") {
            try client.send("put 0 100 100 1\r\nb\r\n")
            return try client.readLine().hasPrefix("INSERTED ")
        }
        try client.send("delete 1\r\npeek 1\r\n")
        try client.expect("DELETED")
        try client.expect("NOT_FOUND")
        #expect(
            try postgres.psql("SELECT count(*) FROM \(server.configuration.schema).jobs WHERE id = 1") == "0")
    }
}
