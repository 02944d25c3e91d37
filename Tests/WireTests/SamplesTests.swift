import TestKit
import Testing

/// What is done over the wire is in the samples, whichever broker does it, and stays there.
@Suite(.beanrowOnly) struct SamplesTests {
    private let (a, b): (BrokerProcess, BrokerProcess)

    init() throws {
        a = try BrokerProcess.start()
        b = try BrokerProcess(a.configuration)
    }

    private func sums(_ tube: String) throws -> String {
        try TestPostgres.shared().psql(
            "select sum(puts), sum(deletes) from \(a.configuration.schema).tube_sample where tube = '\(tube)'")
    }

    @Test func ofTwoBrokersAndAfterARestart() throws {
        var ids: [UInt64] = []
        for (broker, count) in [(a, 2), (b, 3)] {
            let client = try broker.connect()
            try client.send("use mail\r\n")
            try client.expect("USING mail")
            for _ in 0..<count {
                try client.send("put 0 0 60 1\r\nx\r\n")
                ids.append(try client.expectInserted())
            }
        }
        let client = try a.connect()
        try client.send("delete \(ids[0])\r\n")
        try client.expect("DELETED")
        // Each tells within ten seconds what it has done.
        try eventually("both have told it", within: 20 + patience) { try sums("mail") == "5|1" && sums("") == "5|1" }
        let levels = "select ready from \(a.configuration.schema).tube_level where tube = 'mail'"
        try eventually("the number of jobs is told", within: 20 + patience) {
            try TestPostgres.shared().psql(levels) == "4"
        }
        let again = try a.restarted()
        try again.connect().send("delete \(ids[1])\r\n")
        try eventually("it goes on", within: 20 + patience) { try sums("mail") == "5|2" }
    }
}
