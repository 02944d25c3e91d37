import Foundation
import TestKit
import Testing

@testable import PostgresStore

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// The SQLSTATE tells whether it helps to wait for a database. The text of an error is in the server's language.
@Suite("A first connection that fails tells why")
struct FirstConnectionTests {
    private func failure(_ conninfo: String) -> StoreError? {
        do { _ = try Connection(first: conninfo) } catch { return error as? StoreError }
        return nil
    }

    @Test(
        arguments: [
            ("57P03", "das Datenbanksystem startet", true), ("57P03", "das Datenbanksystem fährt herunter", true),
            ("53300", "tut mir leid, schon zu viele Verbindungen", true), ("XX000", "kaputt", true),
            ("28P01", "Passwort-Authentifizierung für Benutzer fehlgeschlagen", false),
            ("3D000", "Datenbank existiert nicht", false), ("42501", "keine Berechtigung für Datenbank", false),
        ])
    func theSQLSTATETellsWhetherItHelpsToWait(code: String, text: String, mayPass: Bool) throws {
        let server = try RefusingServer(code, text)
        let error = failure("host=127.0.0.1 port=\(server.port) user=x dbname=x sslmode=disable gssencmode=disable")
        switch error {
        case .unreachable(let said): #expect(mayPass && said.contains(text))
        case .turnedAway(let said): #expect(!mayPass && said.contains(text))
        default: Issue.record("\(String(describing: error))")
        }
    }

    @Test func theSQLSTATEsOfAMessageAreFound() {
        #expect(
            Connection.sqlStates(
                in: """
                    connection to server at "db1" (10.0.0.1), port 5432 failed: Connection refused
                    \tIs the server running on that host and accepting TCP/IP connections?
                    connection to server at "db2" (10.0.0.2), port 5432 failed: FATAL:  57P03
                    connection to server at "db3" (10.0.0.3), port 5432 failed: SCHWERWIEGEND:  28000

                    """) == ["57P03", "28000"])
        #expect(Connection.sqlStates(in: "") == [])
    }

    @Test func aMissingServerIsUnreachable() throws {
        guard case .unreachable? = failure("host=/nonexistent") else { throw WireMismatch("not unreachable") }
    }

    @Test func aMissingDatabaseIsNotWaitedFor() throws {
        let error = failure("\(try TestPostgres.shared().connectionString) dbname=nowhere")
        guard case .turnedAway? = error else { throw WireMismatch("\(String(describing: error))") }
    }

    @Test func sessionsThatMayOnlyReadAreRefused() throws {
        let server = try TestPostgres.shared()
        let role = "\(server.freshSchema())_reader"
        _ = try server.psql("create role \(role) login; alter role \(role) set default_transaction_read_only to on")
        let error = failure(server.connectionString.replacing("user=beanrow", with: "user=\(role)"))
        guard case .readOnly? = error else { throw WireMismatch("\(String(describing: error))") }
        #expect("\(error!)".contains("default_transaction_read_only to off"))
    }
}

/// Answers each connection with an error, like a server that is not ready.
private final class RefusingServer: Sendable {
    let port: UInt16
    private let listener: Int32

    init(_ code: String, _ text: String) throws {
        #if canImport(Darwin)
        listener = socket(AF_INET, SOCK_STREAM, 0)
        #else
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #endif
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &name) { [listener] pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) | listen(listener, 16) | getsockname(listener, $0, &length)
            }
        }
        guard result == 0 else { throw WireMismatch("cannot listen: \(String(cString: strerror(errno)))") }
        port = UInt16(bigEndian: name.sin_port)
        var fields: [UInt8] = []
        for (kind, value) in [("S", "SCHWERWIEGEND"), ("V", "FATAL"), ("C", code), ("M", text)] {
            fields += Array(kind.utf8) + Array(value.utf8) + [0]
        }
        fields.append(0)
        let size = UInt32(fields.count + 4)
        let message = [UInt8(ascii: "E")] + (0..<4).map { UInt8(truncatingIfNeeded: size >> (24 - 8 * $0)) } + fields
        Thread.detachNewThread { [listener] in
            while case let client = accept(listener, nil, nil), client >= 0 {
                var startup = [UInt8](repeating: 0, count: 10_000)
                if read(client, &startup, startup.count) > 0 { _ = write(client, message, message.count) }
                close(client)
            }
            // Only this thread closes the listener. Otherwise its number could belong to another listener when this
            // thread accepts once more.
            close(listener)
        }
    }

    deinit { shutdown(listener, Int32(SHUT_RDWR)) }
}
