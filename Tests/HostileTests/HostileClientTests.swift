import Foundation
import TestKit
import Testing

/// A client cannot harm others. Another client works beside each attack; its figures are printed.
@Suite(.serialized) struct HostileClientTests {
    /// Sanitizers make everything slower and use memory themselves.
    private static let isSanitized = ProcessInfo.processInfo.environment["BEANROW_SANITIZED"] != nil

    private func attacked(
        _ name: String, _ options: [String] = [], megabytes: Int, _ attack: (BrokerProcess) throws -> Void
    ) throws {
        let server = try BrokerProcess.start(options)
        try Victim.unharmed(
            by: name, on: server, megabytes: Self.isSanitized ? .max : megabytes, { try attack(server) })
        // The attack leaves nothing behind.
        let client = try server.connect()
        try client.send("put 0 0 60 1\r\na\r\n")
        try client.expectInserted()
    }

    /// Many clients send single bytes; all are served in the end.
    @Test func slowBytes() throws {
        try attacked("a byte at a time", megabytes: 150) { server in
            let clients = try (0..<200).map { _ in try server.connect() }
            for byte in "use slow\r\nput 0 0 60 12\r\nbyte by byte\r\n".utf8 {
                for client in clients { try client.send([byte]) }
            }
            for client in clients {
                try client.expect("USING slow")
                try client.expectInserted()
            }
        }
    }

    /// A million commands as fast as the broker reads them. The replies are read when it reads no more.
    @Test func aPipelineOfAMillion() throws {
        let count = Self.isSanitized ? 100_000 : 1_000_000
        try attacked("\(count) commands at once", megabytes: 150) { server in
            let client = try MuteClient(of: server)
            let command = Array("list-tubes-watched\r\n".utf8)
            let reply = "OK 14\r\n---\n- default\n\r\n"
            let bytes = [UInt8]((0..<count).map { _ in command }.joined())
            var sent = try client.push(bytes)
            if !Self.isSanitized { #expect(sent < bytes.count, "the broker keeps unread replies without end") }
            var received = 0
            var last: [UInt8] = []
            try eventually("all replies have come", within: 120) {
                if sent < bytes.count { sent += try client.offer(bytes[sent...]) }
                while let some = try client.take(), !some.isEmpty {
                    received += some.count
                    last = (last + some).suffix(reply.utf8.count)
                    if sent < bytes.count { sent += try client.offer(bytes[sent...]) }
                }
                return received >= count * reply.utf8.count
            }
            #expect(received == count * reply.utf8.count)
            #expect(String(decoding: last, as: UTF8.self) == reply)
        }
    }

    @Test func aPipelineOfPutsAndOfDeletes() throws {
        try attacked("puts and deletes without end", megabytes: 200) { server in
            let puts = [UInt8]((0..<20_000).map { _ in Array("put 9 0 60 1\r\na\r\n".utf8) }.joined())
            let deletes = [UInt8]((0..<20_000).map { Array("delete \(1_000_000 + $0)\r\n".utf8) }.joined())
            let clients = try (0..<10).map { _ in try MuteClient(of: server) }
            for (number, client) in clients.enumerated() {
                _ = try client.push(number % 2 == 0 ? puts : deletes, patience: 0.2)
            }
        }
    }

    /// Clients ask for 3 GB of bodies and read none of them.
    @Test func repliesNeverRead() throws {
        try attacked("replies never read", megabytes: 250) { server in
            let producer = try server.connect()
            let body = String(repeating: "x", count: 60_000)
            for _ in 0..<10 { try producer.send("put 1 0 60 60000\r\n\(body)\r\n") }
            let ids = try (0..<10).map { _ in try producer.expectInserted() }
            let asks = [UInt8]((0..<1000).map { Array("peek \(ids[$0 % 10])\r\npeek-ready\r\n".utf8) }.joined())
            let clients = try (0..<50).map { _ in try MuteClient(of: server) }
            for client in clients { _ = try client.push(asks, patience: 0.05) }
            // Each got as many answers as its socket takes.
            try server.waitUntil("cmd-peek", in: 500...50_000)
        }
    }

    @Test func bodiesNeverSent() throws {
        try allowFiles(4_000)
        try attacked("2,000 bodies sent by half", megabytes: 400) { server in
            let half = String(repeating: "x", count: 30_000)
            let clients = try (0..<2_000).map { _ in try server.connect() }
            for client in clients { try client.send("put 0 0 60 60000\r\n\(half)") }
            try server.waitUntil("current-producers", in: 2_001...2_001)
            for client in clients { client.close() }
            // The victim and the client that asks.
            try server.waitUntil("current-connections", in: 0...2)
        }
    }

    @Test func fourGigabytesAnnounced() throws {
        try attacked("4 GiB announced", ["-z", "1073741824"], megabytes: 200) { server in
            let clients = try (0..<500).map { _ in try server.connect() }
            for (number, client) in clients.enumerated() {
                let size = number % 2 == 0 ? "4294967295" : "1073741824"
                try client.send("put 0 0 60 \(size)\r\n\(String(repeating: "x", count: 10_000))")
            }
            try server.waitUntil("cmd-put", in: 500...(.max))
        }
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func randomBytes(seed: UInt64) throws {
        let words = [
            "put 0 0 1 3\r\n", "\r\n", "reserve-with-timeout 0\r\n", "delete 1\r\n", "watch ", "kick ", "\0", " -",
        ]
        try attacked("random bytes, seed \(seed)", megabytes: 150) { server in
            var random = SplitMix(seed: seed)
            for _ in 0..<20 {
                let client = try MuteClient(of: server)
                var bytes: [UInt8] = []
                while bytes.count < 60_000 {
                    if Bool.random(using: &random) {
                        bytes += (0..<40).map { _ in UInt8.random(in: .min ... .max, using: &random) }
                    } else {
                        bytes += Array(words.randomElement(using: &random)!.utf8)
                    }
                }
                _ = try client.push(bytes, patience: 0.1)
            }
        }
    }

    /// Tubes with the longest names, more of them than one client may watch.
    @Test func watchesWithoutEnd() throws {
        try attacked("12,000 watches", megabytes: 200) { server in
            let client = try server.connect()
            let name = String(repeating: "n", count: 190)
            try client.send((0..<12_000).map { "watch \(name)\($0)\r\n" }.joined())
            for count in 2...10_000 { try client.expect("WATCHING \(count)") }
            for _ in 10_000...12_000 { try client.expect("OUT_OF_MEMORY") }
            // Each list of so many tubes takes a while; the victim is served in between.
            try client.send(String(repeating: "reserve-with-timeout 0\r\n", count: 500))
            for _ in 0..<500 { try client.expect("TIMED_OUT") }
        }
    }

    /// A client that keeps all jobs that it reserves: each reserve costs the same.
    @Test func manyJobsHeld() throws {
        let count = Self.isSanitized ? 2_000 : 30_000
        try attacked("\(count) jobs held by one client", megabytes: 250) { server in
            let client = try server.connect()
            client.timeout = 120
            try client.send("use held\r\nwatch held\r\n" + String(repeating: "put 0 0 1000 1\r\na\r\n", count: count))
            try client.expect("USING held")
            try client.expect("WATCHING 2")
            for _ in 0..<count { try client.expectInserted() }
            try client.send(String(repeating: "reserve\r\n", count: count))
            for _ in 0..<count { try client.expectJob() }
            try client.send(String(repeating: "reserve-with-timeout 0\r\n", count: 10_000))
            for _ in 0..<10_000 { try client.expect("TIMED_OUT") }
            client.close()
            try server.waitUntil("current-jobs-reserved", in: 0...1)
        }
    }
}
