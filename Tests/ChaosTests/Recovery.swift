import Foundation
import TestKit

/// Waits until a broker serves again, and measures how long that takes.
enum Recovery {
    /// Puts, reserves and deletes a job until that works.
    ///
    /// - Returns: True if it worked within this time.
    static func wait(for broker: Broker, within seconds: Double) -> Bool {
        let end = ContinuousClock.now + .seconds(seconds)
        while ContinuousClock.now < end {
            if (try? probe(broker)) != nil { return true }
            Thread.sleep(forTimeInterval: 0.02)
        }
        return false
    }

    private static func probe(_ broker: Broker) throws {
        let client = try broker.connect()
        client.timeout = 2
        let tube = "probe-\(broker.number)"
        try client.send("use \(tube)\r\nwatch \(tube)\r\nignore default\r\nput 0 0 1 1\r\nx\r\n")
        try client.expect("USING \(tube)")
        try client.expect("WATCHING 2")
        try client.expect("WATCHING 1")
        try client.expectInserted()
        // It may be the job of an earlier attempt.
        try client.send("reserve-with-timeout 1\r\n")
        let (id, _) = try client.expectJob()
        try client.send("delete \(id)\r\n")
        try client.expect("DELETED")
    }
}
