import TestKit
import Testing

@testable import PostgresStore
@testable import QueueCore

@Suite("Policies of tubes are set by SQL and learnt by brokers")
struct PolicyTests {
    let db: Database

    init() throws {
        db = try Database()
    }

    private func set(_ arguments: String) throws { try db.run("select set_policy(\(arguments))") }

    private var policies: String { get throws { try db.rows("select * from tube_policies order by tube") } }

    /// The SQLSTATE and the message with which `set_policy` refuses these arguments. They must come with a hint.
    private func refusal(of arguments: String) throws -> String {
        try db.run(
            """
            create or replace function pg_temp.refusal() returns text language plpgsql as $$
            declare hint text;
            begin
                perform set_policy(\(arguments));
                return 'accepted';
            exception when others then
                get stacked diagnostics hint = pg_exception_hint;
                return sqlstate || ' ' || sqlerrm || case hint when '' then ' No hint!' else '' end;
            end $$
            """)
        return try db.value("select pg_temp.refusal()")
    }

    @Test func anArgumentThatIsLeftOutTurnsItsPolicyOff() throws {
        try set("'a', bury_after_timeouts => 3, max_ready => 100")
        try set("'b', history => '2 days', history_body => true, bury_after_releases => 4")
        #expect(try policies == #"(a,3,,100,,f) (b,,4,,"2 days",t)"#)
        try set("'a', max_ready => 7")
        try set("'b'")
        #expect(try policies == "(a,,,7,,f)")
        #expect(try db.rows("select name from tube order by name") == "(a) (b)")
    }

    @Test func badInputIsRefusedWithItsOwnSQLSTATE() throws {
        #expect(try refusal(of: "null, max_ready => 1") == "BR007 the name of a tube must not be NULL")
        #expect(try refusal(of: "'', max_ready => 1") == "BR001 '' is no name for a tube")
        #expect(try refusal(of: "'-a', max_ready => 1") == "BR001 '-a' is no name for a tube")
        #expect(try refusal(of: "'a b', max_ready => 1") == "BR001 'a b' is no name for a tube")
        #expect(try refusal(of: "E'a\\n', max_ready => 1").hasPrefix("BR001"))
        #expect(try refusal(of: "'ä', max_ready => 1").hasPrefix("BR001"))
        #expect(try refusal(of: "repeat('a', 201), max_ready => 1").hasPrefix("BR001"))
        #expect(try refusal(of: "'a', 0") == "BR011 A job cannot be buried after 0 timeouts.")
        #expect(try refusal(of: "'a', null, -1") == "BR011 A job cannot be buried after -1 releases.")
        #expect(try refusal(of: "'a', max_ready => 0") == "BR011 A tube cannot be full with 0 ready jobs.")
        #expect(try refusal(of: "'a', history => '-1 day'") == "BR011 History cannot be kept for -1 days.")
        #expect(try refusal(of: "'a', history => '0'").hasPrefix("BR011"))
        #expect(try refusal(of: "'a', history => '101 years'").hasPrefix("BR011"))
        #expect(try policies == "")
        #expect(try db.rows("select name from tube") == "", "nothing has changed")
        #expect(try refusal(of: "repeat('a', 200), max_ready => 1") == "accepted")
    }

    @Test func everyColumnOfTheViewHasAComment() throws {
        let unexplained = try db.rows(
            """
            select attname from pg_attribute
            where attrelid = 'tube_policies'::regclass and attnum > 0 and col_description(attrelid, attnum) is null
            """)
        #expect(unexplained == "")
    }

    @Test func publicMayNotCallSecurityDefinerFunctions() throws {
        #expect(
            try db.holds(
                """
                not exists (
                    select from pg_proc
                    where pronamespace = \(literal(identifier(db.schema)))::regnamespace and prosecdef
                        and has_function_privilege('public', oid, 'execute'))
                """))
    }

    // MARK: The broker

    @Test func aKeeperLearnsPoliciesAtItsStartAndWhenTheyChange() throws {
        try set("'a', bury_after_timeouts => 3, history => '1 day'")
        let keeper = try TestKeeper(db.configuration)
        try keeper.client.policies([TubePolicy(tube: 1, buryAfterTimeouts: 3, keepsHistory: true)])
        try set("'a', bury_after_releases => 2, max_ready => 5000000000")
        try keeper.client.policies([TubePolicy(tube: 1, buryAfterReleases: 2, maxReady: 5_000_000_000)])
        // It also learns of a row that was deleted by hand.
        try db.run("delete from tube_policy")
        try keeper.client.policies([])
    }

    /// The version grows when the change commits, not before.
    @Test func aChangeThatCommitsLateIsLearnt() throws {
        let keeper = try TestKeeper(db.configuration)
        try db.run("begin")
        try set("'a', max_ready => 3")
        _ = try keeper.client.renewal()
        _ = try keeper.client.renewal()
        try keeper.client.policies([])
        try db.run("commit")
        try keeper.client.policies([TubePolicy(tube: 1, maxReady: 3)])
    }
}
