import Foundation
import TestKit

@testable import PostgresStore

/// A peer that consists of its row and its heartbeats.
final class LivingBroker {
    let epoch: Int64
    private let db: Database
    private let pid: Int32
    private let heart: Repeating
    private var isSilent = false

    init(_ db: Database, pid: Int32 = 1, space: String = "elsewhere", isSole: Bool = false) throws {
        self.db = db
        epoch = try db.addBroker(pid: pid, space: space, isSole: isSole)
        let beat = "update broker set beats = beats + 1, heartbeat_at = clock_timestamp() where epoch = \(epoch)"
        let session = Shared(try db.session())
        self.pid = try session.value.backend
        heart = Repeating {
            try? session.value.run(beat)
            Thread.sleep(forTimeInterval: 0.1)
        }
    }

    deinit { fallSilent() }

    /// Ends its heartbeats.
    func fallSilent() {
        if !isSilent { heart.end() }
        isSilent = true
    }

    /// Ends its heartbeats even if one of them waits for a lock.
    func end() throws {
        try db.run("select pg_terminate_backend(\(pid), 5000)")
        fallSilent()
    }
}
