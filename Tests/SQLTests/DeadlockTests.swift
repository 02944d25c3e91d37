import Synchronization
import TestKit
import Testing

/// Locks are taken in one order: rows of `job`, then those of `sql_lease` (migrations/0004_shared.up.sql).
@Suite("SQL workers do not wait for each other in a circle") struct DeadlockTests {
    let database: SQLDatabase

    init() throws { database = try SQLDatabase() }

    /// Runs a call that may be refused because a lease has ended.
    private static func may(_ session: SQLSession, _ query: String) throws {
        let state = session.refusal(query)
        guard state == nil || state == "BR008" else { throw WireMismatch("\(query): \(state!)") }
    }

    /// Leases end all the time, while their holders touch, release and finish what they think they have.
    @Test func leasesThatEndUnderTheirHolders() throws {
        let sql = try database.session()
        try sql.value("select count(*) from beanrow.put_many('t', array_fill('x'::text, array[400]))")
        let database = database
        try onThreads(8, within: 300) { number in
            let session = try database.session()
            for round in 0..<60 {
                let got = try session.list("select id from beanrow.reserve('{t}', '5 milliseconds', 50)")
                guard !got.isEmpty else { continue }
                let ids = "array[\(got.shuffled().joined(separator: ", "))]"
                try Self.may(session, "select beanrow.touch(\(ids), '10 milliseconds')")
                switch (round + number) % 8 {
                case 0: try Self.may(session, "select beanrow.finish(\(ids))")
                case 1: try Self.may(session, "select beanrow.end_leases_of(login => session_user)")
                case 2...4: try Self.may(session, "select beanrow.release(\(ids))")
                case 5: try Self.may(session, "select beanrow.bury(\(ids))")
                default: break
                }
                try session.value("select beanrow.kick('t', 50)")
                try session.value("select count(*) from beanrow.put_many('t', array_fill('x'::text, array[20]))")
            }
        }
        try eventually("all leases are over") {
            try sql.value("select count(*) from beanrow.reserve('{nowhere}')")
            return try sql.value("select count(*) from beanrow.sql_lease") == "0"
        }
        #expect(
            try sql.list("select ready, delayed, reserved, buried from beanrow.tubes where name = 't'")
                == sql.list(
                    """
                    select count(*) filter (where state = 'ready'), 0, 0, count(*) filter (where state = 'buried')
                    from beanrow.jobs
                    """))
    }
}
