import Foundation

@testable import TestKit

/// One of the two servers, with the same clients as the other.
final class Side {
    let server: BrokerProcess
    /// A connection that takes no part in the histories.
    let control: Link
    var links: [Int: Link] = [:]

    // The state of the current history.
    /// Job ids by the tags of their puts.
    private var ids: [Int: JobIDText] = [:]
    /// The common names of both servers' ids in comparisons.
    private(set) var names: [JobIDText: String] = [:]
    /// The puts of each client that have no reply yet, oldest first.
    private var due: [Int: [Int]] = [:]
    private var insertions: [Int: Int] = [:]
    /// Ids that were used before their `INSERTED` came, in the same packet.
    private var guesses: [Int: JobIDText] = [:]
    private(set) var wasMispredicted = false
    private var nextID: UInt64 = 1
    private var polls = 0
    /// The counters at the beginning of the history.
    private(set) var counters: [String: Int] = [:]
    private(set) var tubeCounters: [String: Int] = [:]

    typealias JobIDText = String

    init(_ server: BrokerProcess) throws {
        self.server = server
        control = try Link(server.address)
    }

    /// Begins a history: forgets the one before and notes the counters.
    func begin() throws {
        ids = [:]
        names = [:]
        due = [:]
        insertions = [:]
        guesses = [:]
        wasMispredicted = false
        tubeCounters = numbers(try control.ask("stats-tube default\r\n"))
        counters = numbers(try control.ask("stats\r\n"))
        polls = 0
    }

    /// A number of `stats`; asking for it is not counted.
    func poll() throws -> [String: String] {
        polls += 1
        return YAML.mapping(try control.ask("stats\r\n")) ?? [:]
    }

    /// How many `stats` commands were sent by the runner and not by the history.
    var uncounted: Int { polls + 1 }

    // MARK: Job ids

    /// The bytes of the messages for this server.
    func render(_ messages: [Message], from client: Int, predicts: Bool) -> [UInt8] {
        var bytes: [UInt8] = []
        var expected = nextID
        var predicted: [Int: JobIDText] = [:]
        for message in messages {
            for piece in message.pieces {
                switch piece {
                case .bytes(let text):
                    bytes += text
                case .job(let tag):
                    if ids[tag] == nil, let guess = predicted[tag] { guesses[tag] = guess }
                    // Without even a guess: an id that no server reaches.
                    bytes += Array((ids[tag] ?? predicted[tag] ?? String(4_000_000_000 + tag)).utf8)
                }
            }
            if let tag = message.put {
                due[client, default: []].append(tag)
                if predicts { predicted[tag] = String(expected) }
                expected += 1
            }
        }
        return bytes
    }

    /// Notes the ids in a client's new replies.
    func learn(from reply: Reply, to client: Int) {
        let words = reply.line.split(separator: " ")
        switch words.first {
        case "INSERTED" where words.count == 2:
            let id = String(words[1])
            insertions[client, default: 0] += 1
            names[id] = "<\(client).\(insertions[client]!)>"
            nextID = (UInt64(id) ?? 0) + 1
            guard let tag = nextDue(client) else { return }
            ids[tag] = id
            if let guess = guesses[tag], guess != id { wasMispredicted = true }
        case "DRAINING", "JOB_TOO_BIG":
            if let tag = nextDue(client), guesses[tag] != nil { wasMispredicted = true }
            skipID(unless: reply.line == "JOB_TOO_BIG")
        case "EXPECTED_CRLF":
            skipID(unless: false)
        default: break
        }
    }

    /// beanstalkd takes an id when it reads the line of a put, Beanrow when it accepts the job.
    private func skipID(unless isEarly: Bool) {
        if server.configuration.server == .beanstalkd, !isEarly { nextID += 1 }
    }

    private func nextDue(_ client: Int) -> Int? {
        due[client]?.isEmpty == false ? due[client]!.removeFirst() : nil
    }

    // MARK: Cleaning up

    /// Restores the initial state. Returns false if that fails: the server must not be used again.
    func end() throws -> Bool {
        links = [:]
        let deadline = Deadline(after: 10)
        while try poll()["current-connections"] != "1" {
            guard deadline.millisecondsLeft > 0 else { return false }
            Thread.sleep(forTimeInterval: 0.002)
        }
        for id in names.keys { _ = try control.ask("delete \(id)\r\n") }
        _ = try control.ask("pause-tube default 0\r\n")
        let stats = try poll()
        let left = stats.filter { $0.key.hasPrefix("current-jobs") && $0.value != "0" }
        return left.isEmpty && stats["current-tubes"] == "1"
    }

    private func numbers(_ reply: Reply) -> [String: Int] {
        (YAML.mapping(reply) ?? [:]).compactMapValues { Int($0) }
    }
}
