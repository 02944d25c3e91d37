import Foundation
import Synchronization

/// The replies that the clients of a broker have got.
public struct ClientLedger: Sendable {
    /// The bodies of the puts that got an id.
    public var inserted: [UInt64: String] = [:]
    /// The jobs whose deletion was acknowledged.
    public var deleted: Set<UInt64> = []
    /// How many requests to delete a job were not, or not clearly, answered.
    var openDeletes: [UInt64: Int] = [:]
    /// The bodies of the puts that were not, or not clearly, answered.
    var unanswered: Set<String> = []
    /// Replies that are wrong whatever has crashed.
    var violations: [String] = []
    /// Why connections ended early.
    public var ends: [String] = []
    public var answers = 0

    public init() {}

    var mustBeThere: Set<UInt64> {
        Set(inserted.keys).subtracting(deleted).filter { openDeletes[$0, default: 0] == 0 }
    }
}

/// Clients that put and delete without a pause until the server has ended or they are told to finish.
public final class CrashLoad: Sendable {
    private let state: Mutex<ClientLedger>
    private let isFinishing = Atomic(false)
    private let running = Atomic(0)

    /// Starts the clients on the servers in turn. `round` makes the bodies of this load differ from those of earlier
    /// loads on the same jobs, and `ledger` has the replies of the earlier loads.
    public init(on servers: BrokerProcess..., round: Int = 0, continuing ledger: ClientLedger = ClientLedger()) {
        var ledger = ledger
        ledger.ends = []
        state = Mutex(ledger)
        let pipelines: [@Sendable (CrashLoad, WireClient) throws -> Void] =
            (0..<3).map { number in
                { load, client in try load.putAndDelete(client, name: "\(round)-\(number)") }
            } + [{ load, client in try load.work(client) }]
        for (index, pipeline) in pipelines.enumerated() {
            let server = servers[index % servers.count]
            running.add(1, ordering: .sequentiallyConsistent)
            Thread.detachNewThread { [self] in
                do {
                    let client = try server.connect()
                    try pipeline(self, client)
                } catch {
                    state.withLock { $0.ends.append("\(error)") }
                }
                running.subtract(1, ordering: .sequentiallyConsistent)
            }
        }
    }

    public var ledger: ClientLedger { state.withLock { $0 } }

    /// Waits until this many commands have been answered.
    public func waitForAnswers(_ count: Int) throws {
        try eventually("\(count) answers") {
            let ledger = ledger
            guard ledger.ends.isEmpty else { throw WireMismatch("a connection has ended early: \(ledger.ends)") }
            return ledger.answers >= count
        }
    }

    /// Makes each client read the answers to what it has sent, and end.
    public func finish() {
        isFinishing.store(true, ordering: .sequentiallyConsistent)
    }

    /// Waits until all clients have ended.
    public func join() {
        while running.load(ordering: .sequentiallyConsistent) > 0 {
            Thread.sleep(forTimeInterval: 0.01)
        }
    }

    private enum Request {
        case put(String)
        case delete(UInt64)
    }

    /// Sends ten puts and deletes half of the ten jobs before, always one packet ahead of the answers.
    private func putAndDelete(_ client: WireClient, name: String) throws {
        var sent: [[Request]] = []
        var mine: [UInt64] = []
        var number = 0
        while !(isFinishing.load(ordering: .sequentiallyConsistent) && sent.isEmpty) {
            if !isFinishing.load(ordering: .sequentiallyConsistent) {
                var packet: [Request] = mine.prefix(mine.count / 2).map { .delete($0) }
                mine = []
                for _ in 0..<10 {
                    packet.append(.put("job \(name) \(number)"))
                    number += 1
                }
                // Noted before it is sent: the server may do it and end before it answers.
                note(packet)
                sent.append(packet)
                try client.send(packet.map(text).joined())
            }
            if sent.count == 2 || isFinishing.load(ordering: .sequentiallyConsistent) {
                for request in sent.removeFirst() {
                    if let id = answered(request, try client.readLine()) { mine.append(id) }
                }
            }
        }
    }

    /// Reserves and deletes one job after the other.
    private func work(_ client: WireClient) throws {
        while !isFinishing.load(ordering: .sequentiallyConsistent) {
            try client.send("reserve-with-timeout 1\r\n")
            let line = try client.readLine()
            let parts = line.split(separator: " ")
            guard parts.count == 3, parts[0] == "RESERVED", let id = UInt64(parts[1]), let size = Int(parts[2]) else {
                continue
            }
            _ = try client.readBody(size)
            note([.delete(id)])
            try client.send("delete \(id)\r\n")
            _ = answered(.delete(id), try client.readLine())
        }
    }

    private func text(_ request: Request) -> String {
        switch request {
        case .put(let body): "put 0 0 1000 \(body.utf8.count)\r\n\(body)\r\n"
        case .delete(let id): "delete \(id)\r\n"
        }
    }

    private func note(_ requests: [Request]) {
        state.withLock { ledger in
            for request in requests {
                switch request {
                case .put(let body): ledger.unanswered.insert(body)
                case .delete(let id): ledger.openDeletes[id, default: 0] += 1
                }
            }
        }
    }

    /// Notes an answer; returns the id if it is that of a put.
    private func answered(_ request: Request, _ line: String) -> UInt64? {
        state.withLock { ledger in
            ledger.answers += 1
            switch request {
            case .put(let body):
                guard line.hasPrefix("INSERTED "), let id = UInt64(line.dropFirst("INSERTED ".count)) else {
                    if line != "INTERNAL_ERROR" { ledger.violations.append("put was answered \(line)") }
                    return nil
                }
                ledger.unanswered.remove(body)
                if let other = ledger.inserted.updateValue(body, forKey: id) {
                    ledger.violations.append("id \(id) was given to \(other) and to \(body)")
                }
                return id
            case .delete(let id):
                switch line {
                case "DELETED":
                    if !ledger.deleted.insert(id).inserted { ledger.violations.append("\(id) was deleted twice") }
                // Another client has reserved it and will delete it.
                case "NOT_FOUND": ledger.openDeletes[id, default: 0] -= 1
                case "INTERNAL_ERROR": break
                default: ledger.violations.append("delete was answered \(line)")
                }
                return nil
            }
        }
    }
}
