import Logging
import QueueCore
import TestKit
import Testing

@testable import PostgresStore

@Suite("A row of the view `warnings` appears with its cause and goes with it", .serialized)
struct WarningsTests {
    let db: Database

    /// A cluster that vacuums only when it is told to. Its short naptime allows few dead rows.
    private static let cluster = Swift.Result {
        try TestPostgres.private(settings: [
            "autovacuum": "off", "autovacuum_naptime": "1s", "max_prepared_transactions": "2",
        ])
    }

    init() throws {
        db = try Database(on: Self.cluster.get())
    }

    /// The rows of the view, without the one that says that autovacuum is off in this cluster.
    private var warnings: String {
        get throws {
            try db.rows(
                """
                select warning, object, unit from warnings
                where (warning, object) <> ('autovacuum off', 'the server') order by 1, 2
                """)
        }
    }

    private func value(_ column: String) throws -> String {
        try db.value("select \(column) from warnings where warning <> 'autovacuum off'")
    }

    @Test func aHealthySchemaHasNoWarnings() throws {
        #expect(try warnings == "")
    }

    @Test func everyColumnHasAComment() throws {
        #expect(
            try db.number(
                """
                select count(*) from pg_attribute
                where attrelid = 'warnings'::regclass and col_description(attrelid, attnum) is not null
                """) == 6)
        #expect(try db.holds("obj_description('warnings'::regclass) is not null"))
    }

    // MARK: Old snapshots

    /// Sets the age at which a snapshot is old. An operator whose transactions are short does the same.
    private func expectSnapshotsOf(_ age: String) throws {
        try db.run("set beanrow.old_snapshot = \(literal(age))")
    }

    @Test func anOldSnapshotIsWarnedOf() throws {
        let holder = try Connection(db.configuration("report").database)
        try holder.run("begin isolation level repeatable read; select")
        #expect(try warnings == "", "five minutes are allowed")
        try expectSnapshotsOf("0 s")
        let backend = try holder.backend
        #expect(try warnings == "(\"old snapshot\",\"session \(backend), \(db.sessions) report\",transactions)")
        #expect(
            try db.holds("(select since > now() - interval '1 h' and amount >= 0 from warnings where unit is not null)")
        )
        try holder.run("commit")
        try eventually("the warning is gone") { try warnings == "" }
    }

    @Test func anOldPreparedTransactionIsWarnedOf() throws {
        try expectSnapshotsOf("0 s")
        try db.run("begin; insert into tube (name) values ('t'); prepare transaction 'forgotten'")
        #expect(try warnings == "(\"old snapshot\",\"prepared transaction forgotten\",transactions)")
        try db.run("rollback prepared 'forgotten'")
        #expect(try warnings == "")
    }

    // MARK: Tables and indexes

    /// Makes dead rows. A table may have 20,000 of them for each second of the naptime.
    private func die(_ count: Int) throws {
        try db.run(
            "insert into ledger (epoch, writer, batch) select 1, 0, generate_series(1, \(count)); delete from ledger")
        try eventually("the statistics count the dead rows") {
            try db.holds("pg_stat_get_dead_tuples('ledger'::regclass) >= \(count)")
        }
    }

    @Test func deadRowsAreWarnedOfUntilTheyAreVacuumed() throws {
        try die(10_000)
        #expect(try warnings == "")
        try die(20_000)
        #expect(try warnings == "(\"dead rows\",ledger,rows)")
        #expect(try value("amount") == "30000")
        try db.run("vacuum ledger")
        try eventually("the warning is gone") { try !warnings.contains("dead rows") }
    }

    @Test func anIndexThatIsFarLargerThanItsRowsIsWarnedOf() throws {
        try die(80_000)
        try db.run("vacuum ledger")
        try eventually("only the index is warned of") { try warnings == "(\"index bloat\",ledger_pkey,bytes)" }
        #expect(try value("amount") == db.value("select pg_relation_size('ledger_pkey')"))
        try db.run("reindex index ledger_pkey")
        #expect(try warnings == "")
    }

    @Test func aLargeIndexOfManyRowsIsNoBloat() throws {
        try db.run("insert into ledger (epoch, writer, batch) select 1, 0, generate_series(1, 80000)")
        try db.run("vacuum ledger")
        #expect(try db.holds("pg_relation_size('ledger_pkey') > 60 * 20000"))
        #expect(try warnings == "")
    }

    /// To give the space back, vacuum would lock the table, here and on every standby.
    @Test func vacuumKeepsTheSpaceForLaterRows() throws {
        try die(1000)
        let size = try db.number("select pg_relation_size('ledger')")
        try db.run("vacuum ledger")
        #expect(try db.number("select pg_relation_size('ledger')") == size)
        try db.run("vacuum (truncate) ledger")
        #expect(try db.number("select pg_relation_size('ledger')") == 0)
    }

    @Test func autovacuumThatIsOffIsWarnedOf() throws {
        #expect(
            try db.rows("select warning, object, since, amount from warnings")
                == "(\"autovacuum off\",\"the server\",,)")
        try db.run("alter table job set (autovacuum_enabled = false)")
        #expect(try warnings == "(\"autovacuum off\",job,)")
        try db.run("alter table job reset (autovacuum_enabled)")
        #expect(try warnings == "")
    }

    @Test func transactionsThatAreNotFrozenAreWarnedOf() throws {
        // The holder keeps them from being frozen: at this age PostgreSQL vacuums even if autovacuum is off.
        let holder = try db.session()
        try holder.run("begin isolation level repeatable read; select from job")
        try db.run("alter table fence set (autovacuum_freeze_max_age = 100000)")
        #expect(try warnings == "")
        try db.run(
            """
            create temporary table spent (id integer);
            do $$ begin
                for i in 1..160000 loop
                    begin insert into spent values (i); exception when others then null; end;
                end loop;
            end $$
            """)
        #expect(try warnings == "(\"transaction age\",fence,transactions)")
        try holder.run("commit")
        try db.run("vacuum freeze fence")
        #expect(try warnings == "")
    }

    @Test func aBrokerWithALateHeartbeatIsWarnedOf() throws {
        let epoch = try db.addBroker(heartbeat: "clock_timestamp() - interval '6 s'")
        #expect(try warnings == "(\"late heartbeat\",\"broker \(epoch) on elsewhere\",seconds)")
        try db.run("update broker set heartbeat_at = now() + interval '1 h'")
        #expect(try warnings == "")
    }

    // MARK: The log

    @Test func eachWarningIsLoggedOnce() throws {
        let lines = LineLog()
        var watch = WarningWatch(Logger(label: "test") { _ in lines })
        func look(atMinute minute: Int64) throws -> [String] {
            try watch.look(db.connection, at: Instant(nanoseconds: minute * 60_000_000_000))
            return lines.take()
        }
        let server =
            "warning autovacuum off: the server. Dead rows are never cleaned up: set autovacuum and track_counts to on."
        #expect(try look(atMinute: 0) == [], "not before the first minute is over")
        #expect(try look(atMinute: 1) == [server])
        let epoch = try db.addBroker(heartbeat: "clock_timestamp() - interval '1 h'")
        #expect(try look(atMinute: 1) == [], "not before the minute is over")
        let late = try look(atMinute: 2)
        #expect(late.count == 1)
        #expect(late[0].hasPrefix("warning late heartbeat: broker \(epoch) on elsewhere, 360"))
        #expect(try look(atMinute: 3) == [])
        try db.removeBroker(epoch)
        #expect(try look(atMinute: 4) == ["notice no more late heartbeat: broker \(epoch) on elsewhere"])
    }

    /// A role that was made before the view existed may not read it.
    @Test func aMissingRightIsLoggedOnce() throws {
        let role = "\(db.sessions)_role"
        try db.run("create role \(role); grant usage on schema \(identifier(db.schema)) to \(role); set role \(role)")
        let lines = LineLog()
        var watch = WarningWatch(Logger(label: "test") { _ in lines })
        for minute: Int64 in 0...3 {
            try watch.look(db.connection, at: Instant(nanoseconds: minute * 60_000_000_000))
        }
        let said = lines.take()
        #expect(said.count == 1)
        #expect(said[0].contains("permission denied for view warnings"))
        try db.run("reset role")
    }
}
