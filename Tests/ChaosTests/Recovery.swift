import Foundation
import TestKit

/// Waits until a broker serves again, and says how long that took.
enum Recovery {
    /// Puts, reserves and deletes a job of its own until that works.
    ///
    /// - Returns: Whether it did in so many seconds.
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
        // Maybe one of a probe that failed.
        try client.send("reserve-with-timeout 1\r\n")
        let (id, _) = try client.expectJob()
        try client.send("delete \(id)\r\n")
        try client.expect("DELETED")
    }
}
