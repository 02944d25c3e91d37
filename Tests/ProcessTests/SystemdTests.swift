import Foundation
import TestKit
import Testing

/// systemd's protocol: sockets that it passes, and what it is told.
@Suite struct SystemdTests {
    private func play(_ part: String) throws -> [String] {
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("systemd.py")
        let postgres = try TestPostgres.shared()
        let printed = try runProgram(
            "/usr/bin/env",
            [
                "python3", script.path, part, BrokerProcess.beanrowPath(), "serve", "--no-http", "-p", "0",
                "--database", postgres.connectionString, "--schema", postgres.freshSchema(),
            ])
        // The broker's own lines are between them.
        return printed.split(separator: "\n").map(String.init).filter { $0.hasPrefix("b'") || $0.hasPrefix("exit") }
    }

    @Test func servesOnTheSocketItIsGiven() throws {
        #expect(try play("socket") == ["b'USING default\\r\\n'", "exit 0"])
    }

    @Test func saysWhenItIsReadyAndWhenItStops() throws {
        #expect(try play("notify") == ["b'READY=1'", "b'STOPPING=1'", "exit 0"])
    }

    @Test func servesOverIPv6() throws {
        #expect(try play("ipv6") == ["b'USING default\\r\\n'", "exit 0"])
    }
}
