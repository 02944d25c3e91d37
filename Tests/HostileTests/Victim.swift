import Foundation
import Synchronization
import TestKit
import Testing

/// The latencies of a well-behaved client's commands.
struct Latencies: CustomStringConvertible {
    var milliseconds: [Double] = []
    /// By how much an idle thread woke up late in that time.
    var stall = 0.0

    var median: Double { milliseconds.isEmpty ? 0 : milliseconds.median }
    var longest: Double { milliseconds.max() ?? 0 }

    var description: String {
        "\(milliseconds.count) commands, median \(round(median * 100) / 100) ms, longest \(round(longest)) ms"
    }
}

/// A client that puts, reserves and deletes one job after the other while another client misbehaves.
final class Victim: Sendable {
    private let server: BrokerProcess
    private let isDone = Atomic(false)
    private let outcome = Mutex<Result<Latencies, any Error>?>(nil)
    /// Too few measured commands prove nothing.
    private static let fewestRounds = 30

    private init(of server: BrokerProcess) {
        self.server = server
    }

    /// Works while `attack` runs, and checks the client's latency and the broker's memory.
    ///
    /// - Parameters:
    ///   - name: The attack's name, for the figures that are printed.
    ///   - server: The broker.
    ///   - megabytes: The limit for the broker's peak memory.
    ///   - attack: Runs beside the client.
    /// - Throws: what the attack or the client throws.
    static func unharmed(
        by name: String, on server: BrokerProcess, megabytes: Int, _ attack: () throws -> Void
    ) throws {
        let calm = try measure(on: server) {}
        let hurt = try measure(on: server, attack)
        let peak = try server.peakMegabytes
        print("\(name): alone \(calm); meanwhile \(hurt); peak memory \(peak) MiB")
        // Generous: a machine that runs many tests at once is slow and not wrong.
        #expect(hurt.longest - hurt.stall < 2000, "a command took too long; the machine stalled for \(hurt.stall) ms")
        #expect(hurt.median < 100, "commands take too long")
        #expect(peak < megabytes, "the broker took too much memory")
    }

    private static func measure(on server: BrokerProcess, _ attack: () throws -> Void) throws -> Latencies {
        let victim = Victim(of: server)
        let stall = Stall()
        Thread.detachNewThread {
            let result = Result { try victim.work() }
            victim.outcome.withLock { $0 = result }
        }
        let attacked = Result { try attack() }
        victim.isDone.store(true, ordering: .sequentiallyConsistent)
        let answered = Result {
            try eventually("the victim's last command is answered") { victim.outcome.withLock { $0 != nil } }
        }
        let lateness = stall.end()
        // The attack's own error first: it may be the reason why the victim got no answer.
        try attacked.get()
        try answered.get()
        var latencies = try victim.outcome.withLock { try $0!.get() }
        latencies.stall = lateness.longest / .milliseconds(1)
        return latencies
    }

    private func work() throws -> Latencies {
        let client = try server.connect()
        try client.send("use victim\r\nwatch victim\r\nignore default\r\n")
        for line in ["USING victim", "WATCHING 2", "WATCHING 1"] { try client.expect(line) }
        var latencies = Latencies()
        let clock = ContinuousClock()
        func timed<Value>(_ body: () throws -> Value) rethrows -> Value {
            let start = clock.now
            defer { latencies.milliseconds.append((clock.now - start) / .milliseconds(1)) }
            return try body()
        }
        while !isDone.load(ordering: .sequentiallyConsistent)
            || latencies.milliseconds.count < 3 * Victim.fewestRounds
        {
            let id = try timed {
                try client.send("put 0 0 60 3\r\njob\r\n")
                return try client.expectInserted()
            }
            try timed {
                try client.send("reserve\r\n")
                try client.expect("RESERVED \(id) 3")
                try client.expect("job")
            }
            try timed {
                try client.send("delete \(id)\r\n")
                try client.expect("DELETED")
            }
        }
        return latencies
    }
}

extension BrokerProcess {
    /// The process's peak memory.
    var peakMegabytes: Int {
        get throws {
            let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
            let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
            return try #require(Int(line.split(separator: " ").dropFirst().first ?? "")) / 1024
        }
    }

    /// Seconds of processor time that the process has used.
    var processorSeconds: Double {
        get throws {
            let stat = try String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
            let fields = try #require(stat.split(separator: ")").last).split(separator: " ")
            return (Double(fields[11])! + Double(fields[12])!) / Double(sysconf(Int32(_SC_CLK_TCK)))
        }
    }
}
