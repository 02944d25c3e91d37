import AdminAPI
import TestKit
import Testing

@testable import PostgresStore

@Suite("Pages of the history read no more than they need")
struct HistorySearchTests {
    let db: Database

    /// 20,000 jobs have ended, one each millisecond, of which the 7000th was deleted before anybody had it.
    init() throws {
        db = try Database()
        try db.run("select set_policy('h', history => '2 days')")
        try db.run(
            """
            insert into job_history
                (id, created_at, finished_at, priority, ttr, tube_id, reserves, timeouts, releases, buries, kicks, state)
            select n, now(), now() - (20000 - n) * interval '1 ms', 0, 60, (select id from tube), 1, 0, 0, 0, 0,
                case when n = 7000 then 0 else 3 end
            from generate_series(1, 20000) as n
            """)
        try db.run("analyze job_history")
    }

    /// The ids of a page, with the place where the next begins, and how many rows and entries of indexes were read for it.
    private func page(
        _ search: HistorySearch, limit: Int = 10
    ) throws -> (ids: [Int64], next: HistorySearch.Key?, read: Int64) {
        let session = AdminSession(db.configuration)
        let connection = try session.connection()
        try connection.run("begin")
        let (found, next) = try search.run(connection, limit: limit)
        let read = try connection.ask(
            Statement(
                name: "",
                sql: """
                    select sum(pg_stat_get_xact_tuples_returned(oid))::bigint as value from pg_class
                    where relnamespace = current_schema()::regnamespace and relname ~ '^job_history'
                    """,
                columns: OnlyColumn<Int64>.self)
        ).value(Int64.self)
        return (found.map(\.entry.id), next, read)
    }

    private func search(
        tube: String? = nil, isFinished: Bool? = nil, id: Int64? = nil, after: HistorySearch.Key? = nil
    ) -> HistorySearch {
        HistorySearch(tube: tube, isFinished: isFinished, id: id, from: 0, to: .max, after: after)
    }

    @Test func theNewest() throws {
        let first = try page(search(tube: "h"))
        #expect(first.ids == Array((19_991...20_000).reversed()))
        let second = try page(search(tube: "h", after: first.next))
        #expect(second.ids == Array((19_981...19_990).reversed()))
        for read in [first.read, second.read] { #expect(read < 6000) }
    }

    @Test func oneJob() throws {
        let found = try page(search(id: 5), limit: 1)
        #expect(found.ids == [5])
        #expect(found.read < 100)
        let missing = try page(search(id: 99_999))
        #expect(missing.ids == [] && missing.next == nil)
        #expect(missing.read < 100)
    }

    /// It is found behind thousands of others, each of which is read once by the walk and once for the filter.
    @Test func whatIsRare() throws {
        let found = try page(search(isFinished: false))
        #expect(found.ids == [7000] && found.next == nil)
        #expect(found.read < 60_000)
        #expect(try page(search(tube: "nobody")).ids == [])
    }
}
