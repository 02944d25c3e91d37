import Foundation
import TestKit
import Testing

/// docs/sql.md: its blocks of SQL do what the page says, as they are printed.
@Suite("The cookbook") struct CookbookTests {
    /// The blocks marked `sql`, with the lines at which they begin.
    static func blocks(of page: String) -> [(line: Int, sql: String)] {
        var blocks: [(line: Int, sql: String)] = []
        var isInside = false
        for (number, line) in page.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            if line == "```sql" {
                isInside = true
                blocks.append((number + 2, ""))
            } else if line == "```" {
                isInside = false
            } else if isInside {
                blocks[blocks.count - 1].sql += "\(line)\n"
            }
        }
        return blocks
    }

    /// A queue as it may be in practice: jobs of yesterday, some that failed, and two workers that are stuck.
    private func fill(_ database: SQLDatabase, worker: SQLSession) throws {
        try database.run(
            """
            select
                beanrow.put('images', 'a.png'), beanrow.put('images', 'old'), beanrow.put('trash', 'x'),
                beanrow.put('trash', 'y', delay => '1 hour'), beanrow.put('stuck', 'one'), beanrow.put('stuck', 'two'),
                beanrow.put('mail', '{"kind": "invoice", "order": 4}'::jsonb, 9, delay => '2 hours'),
                beanrow.put('mail', 'bad', 9000, delay => '2 hours');
            update beanrow.job set timeouts = 2 where body = 'bad';
            select beanrow.bury_job(id) from beanrow.jobs where body = 'old';
            update beanrow.job set created_at = current_date - interval '1 hour' where body = 'old';
            insert into beanrow.broker (epoch, host, pid, process_space, heartbeat_at, answered)
            values (7, 'web-1', 4711, 'elsewhere', now() + interval '1 hour', 1000000);
            insert into beanrow.tube_sample (at, tube, puts, waited)
            values (now() - interval '1 minute', 'mail', 3, '{0,0,0,0,0,0,0,0,0,1,2}');
            insert into beanrow.tube_sample_5min (at, tube, puts) values (now() - interval '10 minutes', 'mail', 3);
            insert into beanrow.audit (viewer, action, object, changed) values ('ada', 'kick', 'tube mail', 4);
            """)
        try worker.value("select id from beanrow.reserve('{stuck}', '1 hour')")
        try database.run(
            """
            update beanrow.job set lease_epoch = 7, reserved_at = now(), reserved_until = now() + interval '1 hour'
            where body = 'two';
            update beanrow.job set reserved_at = now() - interval '10 minutes' where lease_epoch is not null;
            """)
    }

    @Test func eachBlockRunsAsPrinted() throws {
        let page = URL(filePath: #filePath).appending(path: "../../../docs/sql.md").standardized
        let blocks = Self.blocks(of: try String(contentsOf: page, encoding: .utf8))
        #expect(blocks.count >= 20)
        let database = try SQLDatabase()
        let worker = try database.session()
        try fill(database, worker: worker)
        for block in blocks {
            do {
                let answer = try database.run(script: block.sql)
                // A statement that only makes something prints nothing, nor does one that finds nothing to correct.
                let isSilent =
                    block.sql.hasPrefix("create") || block.sql.hasPrefix("do") || block.sql.contains("recount")
                #expect(isSilent || !answer.isEmpty, "docs/sql.md:\(block.line): no row")
            } catch {
                Issue.record("docs/sql.md:\(block.line): \(error)")
            }
        }
        #expect(try worker.value("select count(*) from beanrow.jobs where tube = 'trash'") == "0")
        #expect(try worker.list("select order_id from letters") == ["3"])
        #expect(try worker.value("select count(*) from beanrow.jobs where tube = 'mail-failed'") == "1")
    }

    @Test func blocksAreFound() {
        let found = Self.blocks(
            of: "a\n```sql\nselect 1;\n```\n```python\nno\n```\n```sql\nselect 2;\nselect 3;\n```\n")
        #expect(found.map(\.line) == [3, 9])
        #expect(found.map(\.sql) == ["select 1;\n", "select 2;\nselect 3;\n"])
    }
}
