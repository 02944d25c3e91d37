import TestKit
import Testing

/// Acknowledged writes outlive a crash of the broker and of PostgreSQL.
@Suite(.serialized) struct CrashTests {
    @Test func theBrokerIsKilled() throws {
        let server = try BrokerProcess.start(keepsJobs: true)
        let load = CrashLoad(on: server)
        try load.waitForAnswers(2000)
        server.kill9()
        load.join()

        let again = try BrokerProcess(server.configuration)
        try load.ledger.check(on: again)
    }

    @Test func theBrokerIsKilledAgainAndAgain() throws {
        var server = try BrokerProcess.start(keepsJobs: true)
        var ledger = ClientLedger()
        for round in 0..<3 {
            let load = CrashLoad(on: server, round: round, continuing: ledger)
            try load.waitForAnswers(ledger.answers + 500)
            server.kill9()
            load.join()
            ledger = load.ledger
            server = try BrokerProcess(server.configuration)
        }
        try ledger.check(on: server)
    }

    @Test(.beanrowOnly) func postgreSQLIsKilled() throws {
        let postgres = try TestPostgres.private()
        // The timeout covers the recovery: connections that wait longer for a commit are closed.
        let server = try BrokerProcess.start(["--database-timeout", "60"], postgres: postgres)
        let load = CrashLoad(on: server)
        try load.waitForAnswers(2000)
        try postgres.kill9()
        try postgres.start()
        // The broker reconnects by itself; the clients keep their connections.
        try load.waitForAnswers(load.ledger.answers + 1000)
        load.finish()
        load.join()
        #expect(load.ledger.ends == [], "no connection may end")

        try load.ledger.check(on: server)
    }
}
