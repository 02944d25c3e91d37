import Foundation
import TestKit

/// Faults happen while clients work. Then they are mended, the remaining jobs are given out, and the history is checked.
final class Campaign {
    private let settings: Settings
    private let recorder = Recorder()
    private let postgres: TestPostgres
    private let brokers: [Broker]
    private let queue: SharedQueue
    private let injector: Injector
    private let load: Load
    private var random: SplitMix
    private var report: Report

    init(_ settings: Settings) throws {
        self.settings = settings
        random = SplitMix(seed: settings.seed)
        // Large enough for PostgreSQL as long as no fault fills the disk.
        let disk = try? SmallDisk(megabytes: 400)
        let cluster = [
            "max_connections": "40", "superuser_reserved_connections": "0", "max_wal_size": "64MB",
            "min_wal_size": "32MB",
        ]
        let postgres = try TestPostgres.private(settings: cluster, in: disk?.path)
        self.postgres = postgres
        let brokers = try (1...3).map { try Broker($0, on: postgres, schema: "chaos") }
        self.brokers = brokers
        queue = SharedQueue(postgres: postgres, schema: "chaos", brokers: brokers)
        injector = Injector(brokers, postgres, disk, seed: random.next(), recorder)
        load = Load(on: brokers.flatMap(\.ways), seed: random.next(), recorder)
        report = Report(seed: settings.seed)
        report.leftOut = Fault.allCases.filter { !injector.faults.contains($0) }
    }

    /// Blocks until the run has ended.
    func run() throws -> Report {
        let watch = EpochWatch("\(postgres.connectionString) application_name=chaos", schema: queue.schema, recorder)
        load.start()
        defer {
            load.stop()
            watch.stop()
        }
        var upcoming: [Fault] = []
        while report.struck < injector.faults.count || recorder.now < settings.seconds, report.violations.isEmpty {
            if upcoming.isEmpty {
                upcoming = injector.faults.shuffled(using: &random)
                try? queue.vacuum()
            }
            strike(upcoming.removeLast())
            Thread.sleep(forTimeInterval: Double(random.below(1000)) / 1000)
        }
        load.stopProducing()
        let left = try queue.drain()
        load.stop()
        watch.stop()
        try conclude(left)
        return report
    }

    private func strike(_ fault: Fault) {
        recorder.note(0, .struck(fault))
        do {
            try injector.strike(fault)
        } catch {
            return violated(.noRecovery, "\(fault.rawValue): \(error)")
        }
        let mended = recorder.now
        recorder.note(0, .mended(fault))
        for broker in brokers where !Recovery.wait(for: broker, within: 60) {
            violated(.noRecovery, "broker \(broker.number), 60 s after \(fault.rawValue)")
        }
        let recovery = recorder.now - mended
        report.faults[fault, default: .init()].count += 1
        report.faults[fault]!.slowestRecovery = max(report.faults[fault]!.slowestRecovery, recovery)
        for broker in brokers {
            if let crash = broker.crash { violated(.brokerCrash, crash) }
        }
        if let handover = injector.handovers.last, handover > settings.handoverLimit {
            violated(.noRecovery, "the jobs of a killed broker were out of reach for \(handover) s")
        }
        if settings.showsProgress { showProgress(fault, recovery) }
    }

    private func violated(_ kind: Violation.Kind, _ what: String) {
        report.violations.append(Violation(kind: kind, id: nil, what: what))
    }

    private func showProgress(_ fault: Fault, _ recovery: Double) {
        let counts = recorder.counts
        let line =
            "\(Int(recorder.now)) s: \(report.struck) faults, \(counts.inserted) jobs put, \(counts.deliveries) "
            + "delivered, \(counts.deleted) deleted; \(fault.rawValue), back after \(Int(recovery * 1000)) ms\n"
        // Not by stdio, which buffers what goes to a pipe until the end.
        FileHandle.standardOutput.write(Data(line.utf8))
    }

    // MARK: The end

    private func conclude(_ left: [History.LeftJob]) throws {
        let history = History(events: recorder.events, left: left)
        report.violations += Checker.violations(in: history)
        report.seconds = recorder.now
        report.counts = recorder.counts
        report.cuts = injector.cuts
        report.handovers = injector.handovers
        report.losses = injector.losses
        guard !report.violations.isEmpty else { return }
        for id in Set(report.violations.compactMap(\.id)).sorted().prefix(10) {
            report.evidence.append("job \(id):\n" + history.excerpt(about: id))
        }
        report.evidence.append(try queue.description)
        report.evidence += brokers.map { "broker \($0.number):\n\($0.log.suffix(3000))" }
    }
}
