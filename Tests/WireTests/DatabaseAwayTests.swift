import TestKit
import Testing

/// PostgreSQL goes and comes back; the clients stay.
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
        // What needs no database goes on, and the waiting client waits.
        try producer.send("list-tube-used\r\n")
        try producer.expect("USING default")
        try waiting.expectNothing(within: 0.1)

        try postgres.start()
        // A tube that nobody watches shows when the broker is back.
        try producer.send("use probe\r\n")
        try producer.expect("USING probe")
        try eventually("a put works again") {
            try producer.send("put 0 0 100 1\r\nx\r\n")
            return try producer.readLine().hasPrefix("INSERTED ")
        }
        try producer.send("use default\r\nput 0 0 100 5\r\nfound\r\n")
        try producer.expect("USING default")
        let id = try producer.expectInserted()
        // Not the job that was refused: its put was answered with an error while nothing could have stored it.
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
        // Still its own, or ready again: either way it can be deleted, once.
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
