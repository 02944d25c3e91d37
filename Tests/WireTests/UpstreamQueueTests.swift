import TestKit
import Testing

/// Upstream's cases about the states of a job and who may reserve it.
@Suite struct UpstreamQueueTests {
    private let server: BrokerProcess
    private let client: WireClient

    init() throws {
        server = try BrokerProcess.start()
        client = try server.connect()
    }

    private func put(_ arguments: String, _ body: String, as id: UInt64) throws {
        try client.send("put \(arguments) \(body.utf8.count)\r\n\(body)\r\n")
        try client.expect("INSERTED \(id)")
    }

    @Test func peek_ok() throws {
        try put("0 0 1", "a", as: 1)
        try client.send("peek 1\r\n")
        try client.expect("FOUND 1 1")
        try client.expect("a")
    }

    @Test func peek_not_found() throws {
        try put("0 0 1", "a", as: 1)
        try client.send("peek 2\r\n")
        try client.expect("NOT_FOUND")
        try client.send("peek 18446744073709551615\r\n")
        try client.expect("NOT_FOUND")
    }

    @Test func peek_delayed() throws {
        try client.send("peek-delayed\r\n")
        try client.expect("NOT_FOUND")
        try put("0 0 1", "A", as: 1)
        try put("0 99 1", "B", as: 2)
        try put("0 50 1", "C", as: 3)

        // The job that is due first.
        try client.send("peek-delayed\r\n")
        try client.expect("FOUND 3 1")
        try client.expect("C")
        try client.send("delete 3\r\n")
        try client.expect("DELETED")

        try client.send("peek-delayed\r\n")
        try client.expect("FOUND 2 1")
        try client.expect("B")
        try client.send("delete 2\r\n")
        try client.expect("DELETED")
        try client.send("peek-delayed\r\n")
        try client.expect("NOT_FOUND")
    }

    @Test func peek_buried_kick() throws {
        try put("0 0 100", "A", as: 1)
        // Only a reserved job can be buried.
        try client.send("bury 1 0\r\n")
        try client.expect("NOT_FOUND")
        try client.send("peek-buried\r\n")
        try client.expect("NOT_FOUND")

        try client.send("reserve-with-timeout 0\r\n")
        try client.expect("RESERVED 1 1")
        try client.expect("A")
        try client.send("bury 1 0\r\n")
        try client.expect("BURIED")
        try client.send("peek-buried\r\n")
        try client.expect("FOUND 1 1")
        try client.expect("A")

        try client.send("kick 1\r\n")
        try client.expect("KICKED 1")
        try client.send("peek-buried\r\n")
        try client.expect("NOT_FOUND")
        try client.send("peek-ready\r\n")
        try client.expect("FOUND 1 1")
        try client.expect("A")
        try client.send("kick 1\r\n")
        try client.expect("KICKED 0")
    }

    @Test func touch_not_found() throws {
        try client.send("touch 1\r\n")
        try client.expect("NOT_FOUND")
        try client.send("touch 100000000000000\r\n")
        try client.expect("NOT_FOUND")
    }

    @Test func release_not_found() throws {
        try client.send("release 1 1 1\r\n")
        try client.expect("NOT_FOUND")
    }

    @Test func kickjob_buried() throws {
        try put("0 0 100", "A", as: 1)
        try client.send("reserve\r\n")
        try client.expect("RESERVED 1 1")
        try client.expect("A")
        try client.send("bury 1 0\r\n")
        try client.expect("BURIED")

        try client.send("kick-job 100\r\n")
        try client.expect("NOT_FOUND")
        try client.send("kick-job 1\r\n")
        try client.expect("KICKED")
        try client.send("kick-job 1\r\n")
        try client.expect("NOT_FOUND")
    }

    @Test func kickjob_delayed() throws {
        try put("0 0 1", "A", as: 1)
        try put("0 10 1", "B", as: 2)
        try client.send("kick-job 1\r\n")
        try client.expect("NOT_FOUND")
        try client.send("kick-job 2\r\n")
        try client.expect("KICKED")
        try client.send("kick-job 2\r\n")
        try client.expect("NOT_FOUND")
    }

    @Test func pause() throws {
        try put("0 0 1", "x", as: 1)
        let start = ContinuousClock.now
        try client.send("pause-tube default 1\r\n")
        try client.expect("PAUSED")
        try client.send("reserve\r\n")
        try client.expect("RESERVED 1 1")
        try client.expect("x")
        #expect(ContinuousClock.now - start >= .seconds(1))
    }

    @Test func unpause_tube() throws {
        let waiting = try server.connect()
        try put("0 0 1", "", as: 1)
        try client.send("pause-tube default 86400\r\n")
        try client.expect("PAUSED")
        try waiting.send("reserve\r\n")
        try client.send("pause-tube default 0\r\n")
        try client.expect("PAUSED")
        try waiting.expect("RESERVED 1 0")
        try waiting.expect("")
    }

    @Test func delete_ready() throws {
        try put("0 0 1", "", as: 1)
        try client.send("delete 1\r\n")
        try client.expect("DELETED")
    }

    @Test func delete_reserved_by_other() throws {
        let other = try server.connect()
        try put("0 0 100", "a", as: 1)
        try other.send("reserve\r\n")
        try other.expect("RESERVED 1 1")
        try other.expect("a")
        try client.send("delete 1\r\n")
        try client.expect("NOT_FOUND")
    }

    @Test func multi_tube() throws {
        try client.send("use abc\r\n")
        try client.expect("USING abc")
        try put("999999 0 1", "", as: 1)
        try client.send("use def\r\n")
        try client.expect("USING def")
        try put("99 0 1", "", as: 2)
        try client.send("watch abc\r\n")
        try client.expect("WATCHING 2")
        try client.send("watch def\r\n")
        try client.expect("WATCHING 3")
        try client.send("reserve\r\n")
        try client.expect("RESERVED 2 0")
    }

    @Test func reserve_with_timeout_2conns() throws {
        let other = try server.connect()
        try client.send("watch foo\r\n")
        try client.expect("WATCHING 2")
        try client.send("reserve-with-timeout 1\r\n")
        // Commands of another connection must not delay the timeout.
        try other.send("watch foo\r\n")
        try other.expect("WATCHING 2")
        try client.expect("TIMED_OUT")
    }

    @Test func close_releases_job() throws {
        try checkRelease { $0.close() }
    }

    @Test func quit_releases_job() throws {
        try checkRelease { consumer in
            try consumer.send("quit\r\n")
            try consumer.expectEOF()
        }
    }

    private func checkRelease(by leave: (WireClient) throws -> Void) throws {
        let consumer = try server.connect()
        try consumer.send("reserve-with-timeout 10\r\n")
        try put("0 0 100", "a", as: 1)
        try consumer.expect("RESERVED 1 1")
        try consumer.expect("a")
        #expect(try client.state(of: 1) == "reserved")

        try leave(consumer)
        // Much earlier than the time to run.
        try client.send("reserve-with-timeout 10\r\n")
        try client.expect("RESERVED 1 1")
        try client.expect("a")
    }
}
