import Foundation
import TestKit
import Testing

/// The files of deploy/prometheus, by promtool.
@Suite("Metrics: alerts") struct RuleTests {
    private static let folder = repository.appending(path: "deploy/prometheus")

    private static let alerts: [String] = {
        let text = (try? String(contentsOf: folder.appending(path: "alerts.yml"), encoding: .utf8)) ?? ""
        return text.matches(of: /- alert: (\w+)/).map { String($0.1) }
    }()

    private static func tests() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.appending(path: "tests").path).sorted()
    }

    @Test func fire() throws {
        let files = try Self.tests().map { Self.folder.appending(path: "tests/\($0)").path }
        #expect(files.count == Self.alerts.count)
        _ = try runProgram("/usr/bin/env", ["promtool", "test", "rules"] + files)
    }

    /// Each alert has a file of its own that shows it firing and not firing.
    @Test func eachIsTested() throws {
        #expect(Self.alerts.count > 10)
        var tested: Set<String> = []
        for file in try Self.tests() {
            let text = try String(contentsOf: Self.folder.appending(path: "tests/\(file)"), encoding: .utf8)
            let names = Set(text.matches(of: /alertname: (\w+)/).map { String($0.1) })
            #expect(names.count == 1, "\(file)")
            #expect(text.contains("exp_alerts: []") && text.contains("exp_labels:"), "\(file)")
            tested.formUnion(names)
        }
        #expect(tested == Set(Self.alerts))
    }

    @Test func theExampleIsAConfiguration() throws {
        _ = try runProgram(
            "/usr/bin/env", ["promtool", "check", "config", Self.folder.appending(path: "scrape.yml").path])
    }

    /// Each alert leads to its paragraph, and each paragraph is about an alert.
    @Test func runbooks() throws {
        let rules = try String(contentsOf: Self.folder.appending(path: "alerts.yml"), encoding: .utf8)
        #expect(
            rules.matches(of: /runbook: docs\/alerts\.md#(\w+)/).map { String($0.1) }
                == Self.alerts.map { $0.lowercased() })
        let page = try String(contentsOf: repository.appending(path: "docs/alerts.md"), encoding: .utf8)
        #expect(page.matches(of: /(?m)^## (Beanrow\w+)$/).map { String($0.1) } == Self.alerts)
    }
}
