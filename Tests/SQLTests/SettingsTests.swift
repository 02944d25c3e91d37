import Foundation
import TestKit
import Testing

/// A database is set up for other work too. Its settings of isolation, limits, formats and places, and those of a role,
/// must not matter to a broker, a migration or a function.
@Suite("Settings of the database are other people's")
struct SettingsTests {
    static let settings: [(name: String, value: String)] = [
        ("default_transaction_isolation", "serializable"), ("default_transaction_deferrable", "on"),
        ("statement_timeout", "'1s'"), ("lock_timeout", "'1s'"), ("idle_session_timeout", "'900ms'"),
        ("idle_in_transaction_session_timeout", "'900ms'"), ("default_tablespace", "pg_default"),
        ("plpgsql.extra_errors", "'all'"), ("plpgsql.extra_warnings", "'all'"), ("datestyle", "'SQL, DMY'"),
        ("timezone", "'Asia/Kolkata'"), ("intervalstyle", "sql_standard"), ("bytea_output", "escape"),
        ("row_security", "off"), ("check_function_bodies", "off"), ("standard_conforming_strings", "off"),
        ("session_replication_role", "replica"), ("transform_null_equals", "on"), ("quote_all_identifiers", "on"),
        ("enable_indexscan", "off"), ("enable_indexonlyscan", "off"), ("xmloption", "document"), ("array_nulls", "off"),
        ("extra_float_digits", "0"), ("synchronous_commit", "off"), ("search_path", "nowhere"),
    ]

    private let database: SQLDatabase

    init() throws {
        database = try SQLDatabase(settings: Self.settings, owner: true)
    }

    @Test func functionsDoTheirWork() throws {
        // Under all of these settings but the isolation, in which a function does not see brokers answer.
        let said = try database.run(
            """
            set default_transaction_isolation to 'read committed';
            select beanrow.set_policy('t', bury_after_timeouts => 3, history => '1 day', history_body => true) is null;
            select version > 0 from beanrow.policy_version;
            select beanrow.put('t', 'a', key => 'k'), beanrow.put('t', '{"a": 1}'::jsonb, delay => '1 hour');
            select count(*) from beanrow.put_many('t', array['x', 'y']);
            select count(*) from beanrow.reserve('{t}', count => 2);
            select beanrow.touch('{1}'), beanrow.release('{1}', delay => '1 hour'), beanrow.bury('{3}');
            select beanrow.kick('t'), beanrow.kick_job(1), beanrow.set_delay(1, '1 s'), beanrow.set_priority(1, 4),
                beanrow.move_job(1, 'u'), beanrow.bury_job(1), beanrow.delete_job(1), beanrow.pause('t', '1 s') is null;
            select ready, delayed, buried from beanrow.tubes where name = 't';
            select beanrow.clear('t');
            select count(*) from beanrow.history;
            select count(*) from beanrow.warnings where warning <> 'autovacuum off';
            """)
        #expect(
            said.split(separator: "\n").map(String.init)
                == ["f", "t", "1|2", "2", "2", "1|1|1", "1|t|t|t|t|t|t|f", "2|1|0", "3", "3", "0"])
    }

    @Test func daysOfHistoryBeginAtMidnightOfUTC() throws {
        let bounds = try database.run(
            """
            set datestyle to iso; set timezone to 'UTC'; set standard_conforming_strings to on;
            select pg_get_expr(relpartbound, oid) from pg_class
            where relnamespace = 'beanrow'::regnamespace and relname ~ '^job_history_2' order by relname limit 1;
            select format('FOR VALUES FROM (''%s 00:00:00+00'') TO (''%s 00:00:00+00'')', day, day + 1)
            from (select right(min(relname), 8)::date as day from pg_class where relname ~ '^job_history_2') as first
            """
        ).split(separator: "\n")
        #expect(bounds.count == 2 && bounds[0] == bounds[1], "\(bounds)")
    }

    /// Two brokers whose sessions are idle for longer than the limits, and whose transactions meet.
    @Test func brokersServe() throws {
        let brokers = try [database.startBroker(), database.startBroker()]
        let count = 150
        try onThreads(4, within: patience) { [brokers] thread in
            let client = try brokers[thread % 2].connect()
            try client.enter("work")
            for number in 1...count {
                try client.put("\(thread) \(number)")
                try client.send("delete \(client.reserve().id)\r\n")
                try client.expect("DELETED")
            }
        }
        let (client, observer) = (try brokers[0].connect(), try brokers[0].connect())
        // An empty tube stays as long as somebody uses it.
        try observer.enter("work")
        try eventually("both brokers count the same") {
            try observer.tube("work", "current-jobs-ready", "current-jobs-reserved") == [0, 0]
        }
        // All sessions are idle for longer than the limit.
        try client.send("reserve-with-timeout 2\r\n")
        try client.expect("TIMED_OUT")
        let id = try client.put("after a rest", delay: 1)
        try client.send("watch default\r\nreserve\r\n")
        try client.expect("WATCHING 1")
        #expect(try client.expectJob().id == id)
        for broker in brokers {
            #expect(try broker.stop() == 0)
            let bad = ["no connection", "lost the connection", "refused", "40001", "the database is back", "cannot"]
            let said = broker.stderr
            #expect(!bad.contains { said.contains($0) }, "\(said)")
        }
    }

    @Test func thePrintedScriptRuns() throws {
        let script = try runProgram(BrokerProcess.beanrowPath(), ["migrate", "up", "--sql", "--schema", "printed"])
        _ = try database.run(script: script)
        let same = try database.run(
            """
            select count(*) from (
                select proname, pronargs, prosecdef from pg_proc where pronamespace = 'beanrow'::regnamespace
                except
                select proname, pronargs, prosecdef from pg_proc where pronamespace = 'printed'::regnamespace
            ) as difference
            """)
        #expect(same == "0")
    }

    /// Published before the migrations or after.
    @Test(arguments: [true, false]) func tablesMayBePublished(before: Bool) throws {
        let publish = "create publication everything for all tables"
        let database = try SQLDatabase(before: before ? publish : "")
        if !before { try database.run(publish) }
        let without = try database.run(
            """
            select relname from pg_class
            where relnamespace = 'beanrow'::regnamespace and relkind in ('r', 'p') and relreplident <> 'f'
                and not exists (select from pg_index where indrelid = pg_class.oid and indisprimary)
            """)
        #expect(without == "")
        // A day is made again, with its rows from the default partition; another day is dropped.
        let days = try database.run(
            """
            do $$ begin
                execute format('drop table beanrow.job_history_%s', to_char(now() at time zone 'UTC', 'YYYYMMDD'));
                execute 'create table beanrow.job_history_20200101 partition of beanrow.job_history
                    for values from (''2020-01-01 00:00:00+00'') to (''2020-01-02 00:00:00+00'')';
            end $$;
            select beanrow.set_policy('t', history => '1 day') is null;
            select beanrow.delete_job(beanrow.put('t', 'a'));
            select beanrow.keep_history() is null;
            select count(*) from beanrow.job_history_default;
            select count(*) from beanrow.history;
            select string_agg(relname, ' ') from pg_class where relname ~ '^job_history_2020';
            select count(*) from pg_class where relname ~ '^job_history_2' and relkind = 'r' and relreplident = 'f';
            """)
        #expect(days == "f\nt\nf\n0\n1\n\n4")
        let broker = try database.startBroker()
        let client = try broker.connect()
        try client.enter("t")
        try client.send("delete \(client.put("b"))\r\n")
        try client.expect("DELETED")
        #expect(try broker.stop() == 0)
        #expect(!broker.stderr.contains("history"), "\(broker.stderr)")
    }
}

/// Bodies and names in databases that are not in UTF-8.
@Suite("Other encodings")
struct EncodingTests {
    @Test(arguments: ["SQL_ASCII", "LATIN1", "EUC_JP", "UTF8"]) func bodies(encoding: String) throws {
        let database = try SQLDatabase(encoding: encoding)
        let broker = try database.startBroker()
        let client = try broker.connect()
        let bodies = [#"{"a": "\u20ac"}"#, #"{"a": "€"}"#, "€", "plain", #"{"a": "\u0000"}"#, #"{"a": "\ud800"}"#]
        for body in bodies { try client.put(body) }
        // A body that is no such text or document gives NULL, and no error.
        let read = try database.run(
            """
            select id, beanrow.body_text(body) is not null, beanrow.body_json(body) is not null, octet_length(body)
            from beanrow.jobs order by id
            """
        ).split(separator: "\n").map(String.init)
        #expect(read.count == bodies.count)
        #expect(read[3] == "4|t|f|5")
        #expect(read[4].hasPrefix("5|t|f") && read[5].hasPrefix("6|t|f"))
        #expect(encoding != "UTF8" || read[0...2] == ["1|t|t|15", "2|t|t|12", "3|t|f|3"])
        #expect(encoding != "LATIN1" || read[0...2] == ["1|t|f|15", "2|f|f|12", "3|f|f|3"])
        #expect(try database.run("select count(*) from beanrow.put_many('t', array['a', '1'])") == "2")
        #expect(
            try database.run(#"select beanrow.put('t', '{"b": 1}'::jsonb) > 0, beanrow.put('t', 'x') > 0"#) == "t|t")
        #expect(try database.run("select count(*) from beanrow.reserve('{t}', count => 9)") == "4")
        #expect(try broker.stop() == 0)
    }
}
