import Foundation
import Synchronization
import TestKit

@testable import PostgresStore

/// Asks the database repeatedly which brokers are alive, and records the answers.
final class EpochWatch: Sendable {
    private let isRunning = Atomic(true)
    private let hasEnded = Atomic(false)

    init(_ database: String, schema: String, _ recorder: Recorder) {
        Thread.detachNewThread { [self] in
            while isRunning.load(ordering: .relaxed) {
                // While the database is away no broker is seen.
                try? watch(database, schema, recorder)
                Thread.sleep(forTimeInterval: 0.1)
            }
            hasEnded.store(true, ordering: .releasing)
        }
    }

    private func watch(_ database: String, _ schema: String, _ recorder: Recorder) throws {
        let connection = try Connection(database)
        let living = Statement(name: "living", sql: "select pid, epoch from \(identifier(schema)).broker")
        try connection.prepare([living])
        while isRunning.load(ordering: .relaxed) {
            let asked = recorder.now
            let rows = try connection.execute(living)
            for row in 0..<rows.count {
                recorder.note(at: asked, 0, .seen(broker: rows.int32(row, 0), epoch: rows.int64(row, 1)))
            }
            Thread.sleep(forTimeInterval: 0.1)
        }
    }

    func stop() {
        isRunning.store(false, ordering: .relaxed)
        while !hasEnded.load(ordering: .acquiring) { Thread.sleep(forTimeInterval: 0.01) }
    }
}
