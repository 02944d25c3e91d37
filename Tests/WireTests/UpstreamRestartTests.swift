import TestKit
import Testing

/// Upstream's binlog cases about what a restart keeps.
@Suite struct UpstreamRestartTests {
    @Test func binlog_empty_exit() throws {
        let server = try BrokerProcess.start(keepsJobs: true).restarted()
        let client = try server.connect()
        try client.send("put 0 0 0 0\r\n\r\n")
        try client.expect("INSERTED 1")
    }

    @Test func binlog_basic() throws {
        let first = try BrokerProcess.start(keepsJobs: true)
        let before = try first.connect()
        try before.send("put 0 0 100 0\r\n\r\n")
        try before.expect("INSERTED 1")

        let after = try first.restarted().connect()
        try after.send("delete 1\r\n")
        try after.expect("DELETED")
    }

    @Test func binlog_bury() throws {
        let first = try BrokerProcess.start(keepsJobs: true)
        let before = try first.connect()
        try before.send("put 0 0 100 0\r\n\r\n")
        try before.expect("INSERTED 1")
        try before.send("reserve\r\n")
        try before.expect("RESERVED 1 0")
        try before.expect("")
        try before.send("bury 1 0\r\n")
        try before.expect("BURIED")

        let after = try first.restarted().connect()
        try after.send("peek-buried\r\n")
        try after.expect("FOUND 1 0")
    }

    @Test func binlog_read() throws {
        let first = try BrokerProcess.start(keepsJobs: true)
        let before = try first.connect()
        try before.send("use test\r\n")
        try before.expect("USING test")
        try before.send("put 0 0 120 4\r\ntest\r\n")
        try before.expect("INSERTED 1")
        try before.send("put 0 0 120 4\r\ntes1\r\n")
        try before.expect("INSERTED 2")
        try before.send("watch test\r\n")
        try before.expect("WATCHING 2")
        try before.send("reserve\r\n")
        try before.expect("RESERVED 1 4")
        try before.expect("test")
        try before.send("release 1 1 1\r\n")
        try before.expect("RELEASED")
        try before.send("reserve\r\n")
        try before.expect("RESERVED 2 4")
        try before.expect("tes1")
        try before.send("delete 2\r\n")
        try before.expect("DELETED")

        let after = try first.restarted().connect()
        try after.send("watch test\r\n")
        try after.expect("WATCHING 2")
        try after.send("reserve\r\n")
        try after.expect("RESERVED 1 4")
        try after.expect("test")
        try after.send("delete 1\r\n")
        try after.expect("DELETED")
        try after.send("delete 2\r\n")
        try after.expect("NOT_FOUND")
    }
}
