import TestKit
import Testing

/// What was acknowledged outlives a crash: of the broker, and of PostgreSQL.
@Suite(.serialized) struct CrashTests {
    @Test func theBrokerIsKilled() throws {
        let server = try BrokerProcess.start(keepsJobs: true)
        let load = try CrashLoad(on: server)
        try load.waitForAnswers(2000)
        server.kill9()
        load.join()

        let again = try BrokerProcess(server.configuration)
        try check(load.ledger, on: again)
    }

    @Test func theBrokerIsKilledAgainAndAgain() throws {
        var server = try BrokerProcess.start(keepsJobs: true)
        var ledger = Ledger()
        for round in 0..<3 {
            let load = try CrashLoad(on: server, round: round, continuing: ledger)
            try load.waitForAnswers(ledger.answers + 500)
            server.kill9()
            load.join()
            ledger = load.ledger
            server = try BrokerProcess(server.configuration)
        }
        try check(ledger, on: server)
    }

    @Test(.beanrowOnly) func postgreSQLIsKilled() throws {
        let postgres = try TestPostgres.private()
        let server = try BrokerProcess.start(postgres: postgres)
        let load = try CrashLoad(on: server)
        try load.waitForAnswers(2000)
        try postgres.kill9()
        try postgres.start()
        // The broker finds its way back by itself, on the same connections.
        try load.waitForAnswers(load.ledger.answers + 1000)
        load.finish()
        load.join()
        #expect(load.ledger.ends == [], "no connection may end")

        try check(load.ledger, on: server)
    }

    /// Takes out all jobs that the server has and compares them with what the clients were told.
    private func check(_ ledger: Ledger, on server: BrokerProcess) throws {
        let client = try server.connect()
        client.timeout = 30
        var found: [UInt64: String] = [:]
        let missing = { ledger.mustBeThere.subtracting(found.keys) }
        // A dead broker's reservations come free only once it is known to be dead.
        try eventually("every acknowledged job is handed out", within: 30) {
            while true {
                try client.send("reserve-with-timeout 0\r\n")
                let line = try client.readLine()
                if line == "TIMED_OUT" { break }
                let parts = line.split(separator: " ")
                guard parts.count == 3, parts[0] == "RESERVED", let id = UInt64(parts[1]), let size = Int(parts[2])
                else { throw WireMismatch("expected a job, got \(line)") }
                let body = try client.readBody(size)
                #expect(found.updateValue(body, forKey: id) == nil, "job \(id) was handed out twice")
                try client.send("delete \(id)\r\n")
                try client.expect("DELETED")
            }
            return missing().isEmpty
        }
        // Nothing is left that was only out of reach.
        try client.send("stats\r\n")
        try client.expectOK().expect([
            "current-jobs-ready": "0", "current-jobs-reserved": "0", "current-jobs-delayed": "0",
            "current-jobs-buried": "0",
        ])

        #expect(ledger.violations == [])
        for (id, body) in ledger.inserted where found[id] != nil {
            #expect(found[id] == body, "job \(id) has the body of another one")
        }
        #expect(ledger.deleted.intersection(found.keys) == [], "these were deleted")
        // What was never answered may be there, once.
        let unknown = found.filter { ledger.inserted[$0.key] == nil }.map(\.value)
        #expect(Set(unknown).subtracting(ledger.unanswered) == [], "nobody has put these")
        #expect(Set(found.values).count == found.count, "a body is there twice")
        #expect(ledger.inserted.count > 100 && ledger.deleted.count > 100, "the load was too small to mean something")
    }
}
