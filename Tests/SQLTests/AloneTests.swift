import TestKit
import Testing

/// SQL without a broker, and what a broker finds that starts later.
@Suite("SQL without a broker") struct AloneTests {
    let database: SQLDatabase
    let sql: SQLSession

    init() throws {
        database = try SQLDatabase()
        sql = try database.session()
    }

    @Test func aBrokerThatComesKnowsWhatHasPiledUp() throws {
        // One transaction is still open when the broker starts; it has merged the changes of others.
        try sql.run(
            "do $$ begin for n in 1..3000 loop perform beanrow.put('t' || n % 7, 'x', n); commit; end loop; end $$")
        let open = try database.session()
        try open.run("begin")
        try open.value("select count(beanrow.put('t0', 'x', delay => '1 hour')) from generate_series(1, 2000)")
        let broker = try database.startBroker()
        let client = try broker.connect()
        try client.enter("t0")
        #expect(try client.tube("t0", "current-jobs-ready", "current-jobs-delayed") == [428, 0])
        #expect(try client.reserve().id == 7)
        try open.run("commit")
        try eventually("what has been committed is counted") {
            try client.tube("t0", "current-jobs-ready", "current-jobs-delayed") == [427, 2000]
        }
        try eventually("the broker has folded it all") {
            try sql.value("select count(*) from beanrow.sql_change") == "0"
        }
        #expect(try client.tube("t0", "current-jobs-ready", "current-jobs-delayed") == [427, 2000])
        #expect(try client.tube("t1", "current-jobs-ready") == [429])
    }

    @Test func aTubeIsClearedByOneWalk() throws {
        try sql.value("select count(*) from beanrow.put_many('t', array_fill('x'::text, array[8000]))")
        try sql.run("begin")
        #expect(try sql.value("select beanrow.clear('t', 8000)") == "8000")
        // Walks that each begin at the start of the index would read five times as many entries.
        let entries = try sql.id("select pg_stat_get_xact_tuples_returned('beanrow.job_ready'::regclass)")
        try sql.run("commit")
        #expect((8000..<10000).contains(entries))
        #expect(try sql.value("select count(*) from beanrow.jobs") == "0")
    }

    @Test func manyJobsOfSeveralTubesAreReservedByOneWalk() throws {
        let ids = try sql.list(
            "select beanrow.put(case n % 2 when 0 then 't' else 'u' end, 'x') from generate_series(1, 600) as n")
        try sql.run("begin")
        let got = try sql.list("select id from beanrow.reserve('{t,u}', count => 600)")
        let entries = try sql.id("select pg_stat_get_xact_tuples_returned('beanrow.job_ready'::regclass)")
        try sql.run("commit")
        #expect(got == ids)
        // For each job that is taken, the first jobs of both tubes are read.
        #expect(entries < 600 * 4)
    }
}
