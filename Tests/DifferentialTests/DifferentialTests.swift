import Foundation
import TestKit
import Testing

/// Beanrow against Debian's beanstalkd 1.12: the same random histories, the same replies.
@Suite struct DifferentialTests {
    @Test func randomHistories() async throws {
        let settings = Campaign.Settings.fromEnvironment()
        let result = await Campaign(settings).run()
        let last = settings.first + UInt64(settings.seeds) - 1
        let summary = "seeds \(settings.first) to \(last): \(result.summary)"
        print(summary)
        if let path = ProcessInfo.processInfo.environment["DIFFERENTIAL_REPORT"] {
            let report = (result.differences + result.failures + [summary]).joined(separator: "\n\n") + "\n"
            try report.write(toFile: path, atomically: true, encoding: .utf8)
        }
        for difference in result.differences { Issue.record(Comment(rawValue: difference)) }
        for failure in result.failures { Issue.record(Comment(rawValue: failure)) }
        #expect(result.replies > 0)
    }

    /// Each listed difference exists.
    @Test(.enabled(if: Campaign.Settings.isShort)) func intendedDifferences() throws {
        let worker = Worker(shrinkingRuns: 0)
        for intended in IntendedDifference.all {
            guard let example = intended.example else { continue }
            // Some examples need a packet to be read in one piece, which may fail on a busy machine.
            let isSo = try (0..<5).contains { _ in
                if case .different = try worker.run(example, avoids: false) { true } else { false }
            }
            if !isSo { Issue.record("no longer so: \(intended.what)") }
        }
    }
}
