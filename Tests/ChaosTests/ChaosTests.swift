import Foundation
import TestKit
import Testing

/// Faults in real processes: brokers, PostgreSQL, and all connections between them and to clients.
@Suite(.serialized) struct ChaosTests {
    @Test func noFaultCausesAViolation() async throws {
        let settings = Settings.fromEnvironment()
        let report = try await onThread { try Campaign(settings).run() }
        print(report.table)
        for fault in report.leftOut { print("LEFT OUT: \(fault.rawValue)") }
        if let path = ProcessInfo.processInfo.environment["CHAOS_REPORT"] {
            try (report.details + report.table + "\n").write(toFile: path, atomically: true, encoding: .utf8)
        }
        for violation in report.violations { Issue.record("seed \(settings.seed): \(violation)") }
        if !report.violations.isEmpty { print(report.evidence.joined(separator: "\n\n")) }
        #expect(report.counts.deleted > 100, "the load was too small")
    }
}

/// Runs blocking code on its own thread, not on the pool of the concurrency runtime.
func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
    }
}
