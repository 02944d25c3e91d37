import AdminAPI
import Foundation

@testable import Terminal

/// A queue as a listener would tell of it, always the same.
enum Sample {
    static let at = Date(timeIntervalSince1970: 1_700_000_000)

    static func overview(mayAct: Bool = true, warnings: Int = 0, counts: Counts? = nil) -> Overview {
        Overview(
            at: at, version: "0.1.0", queue: QueueName(schema: "beanrow", database: "jobs", host: "db.example.org"),
            database: DatabaseState(isUp: true), brokersAlive: 2, isSole: false,
            counts: counts ?? Counts(ready: 1_204_000, urgent: 0, reserved: 12, delayed: 300, buried: 7),
            inPerSecond: 120.4, outPerSecond: 98, oldestReadySeconds: 245, tubes: 3, connections: 40, producers: 8,
            workers: 30, waiting: 4, warnings: warnings, mayAct: mayAct, viewer: nil)
    }

    static func tube(
        _ name: String, _ counts: Counts, in inPerSecond: Double = 0, out: Double = 0, oldest: Double? = nil,
        pause: Double? = nil
    ) -> TubeSummary {
        TubeSummary(
            name: name, counts: counts, inPerSecond: inPerSecond, outPerSecond: out, oldestReadySeconds: oldest,
            using: 1, watching: 2, waiting: 1, pauseSecondsLeft: pause, hasPolicy: false)
    }

    static let tubes = [
        tube(
            "mail", Counts(ready: 1_203_950, reserved: 10, delayed: 0, buried: 7), in: 120.4, out: 97.5, oldest: 245),
        tube("thumbnails", Counts(ready: 50, reserved: 2, delayed: 300, buried: 0), out: 0.5, oldest: 3),
        tube("日本語の名前 \u{1b}[31m", Counts(), pause: 59),
    ]

    static func page(_ tubes: [TubeSummary] = tubes) -> TubePage {
        TubePage(at: at, tubes: tubes, matching: tubes.count, total: tubes.count)
    }

    static func job(
        _ id: Int64, _ state: String = "ready", tube: String = "mail", preview: String? = "hello", age: Double = 100
    ) -> JobSummary {
        JobSummary(
            id: id, tube: tube, state: state, priority: 1024, ttrSeconds: 60, delaySeconds: 0,
            createdAt: at.addingTimeInterval(-age), readyAt: at.addingTimeInterval(state == "delayed" ? 30 : -age),
            reservedAt: state == "reserved" ? at.addingTimeInterval(-20) : nil,
            reservedUntil: state == "reserved" ? at.addingTimeInterval(40) : nil, reserves: 1, timeouts: 0, releases: 0,
            buries: state == "buried" ? 1 : 0, kicks: 0, key: nil, bodyBytes: 5, preview: preview,
            holder: state == "reserved"
                ? Holder(broker: 3, brokerHost: "app1", brokerPid: 99, client: "10.0.0.7:5123") : nil)
    }
}

/// `Top` as a test drives it: keys in, and the effects that are left to answer.
struct Driver {
    var top: Top
    var effects: [Effect] = []

    init(
        width: Int = 80, height: Int = 16, mayAct: Bool = true, _ change: (inout Top.Options) -> Void = { _ in }
    ) {
        var options = Top.Options()
        options.timeZone = TimeZone(identifier: "UTC")!
        options.address = "127.0.0.1:11380"
        change(&options)
        top = Top(options, size: Size(width: width, height: height))
        send(.time(0))
        answer(.tubes(Sample.page()), mayAct: mayAct)
    }

    mutating func send(_ input: Input) { effects += top.handle(input) }

    /// Presses the keys of a text.
    mutating func type(_ text: String) { for character in text { send(.key(.character(character))) } }

    mutating func press(_ keys: Key...) { for key in keys { send(.key(key)) } }

    /// Answers what was asked for last.
    mutating func answer(_ content: Answer.Content, mayAct: Bool = true, warnings: Int = 0) {
        send(
            .answer(
                top.request,
                .success(Answer(overview: Sample.overview(mayAct: mayAct, warnings: warnings), content: content))))
        effects = []
    }

    /// The commands that were asked for since the last look.
    mutating func commands() -> [Command] {
        defer { effects = [] }
        return effects.compactMap { if case .run(let command) = $0 { command } else { nil } }
    }

    var screen: String {
        top.lines.map { line in String(line.text.reversed().drop { $0 == " " }.reversed()) }.joined(separator: "\n")
    }

    var footer: String { top.lines.last!.text.trimmingCharacters(in: .whitespaces) }
}
