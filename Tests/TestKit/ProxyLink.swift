import Foundation

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// One connection through a `FaultProxy`: a socket to the client, one to the server.
final class ProxyLink {
    private let client: ProxySocket
    /// Nil if the connection was made while both directions were lost.
    private let server: ProxySocket?
    private var tap: PostgresTap?
    /// True once bytes were lost: nothing is passed on from then on.
    private var isSilent: Bool

    /// The most bytes that wait to be written; beyond it nothing is read.
    private static let limit = 1 << 20

    init(client: Int32, server: Int32?, tap: PostgresTap?) {
        self.client = ProxySocket(client)
        self.server = server.map { ProxySocket($0) }
        self.tap = tap
        isSilent = server == nil
    }

    var isClosed: Bool { !client.isOpen && server?.isOpen != true }

    var interests: [pollfd] {
        [
            client.interest(reads: server.map { $0.waiting < Self.limit } ?? true),
            server?.interest(reads: client.waiting < Self.limit),
        ].compactMap { $0 }
    }

    /// When the next piece that is held back may be written.
    var nextDue: ContinuousClock.Instant? {
        [client.nextDue, server?.nextDue].compactMap { $0 }.filter { $0 > .now }.min()
    }

    func close() {
        client.close()
        server?.close()
    }

    /// Reads and writes whatever is possible now.
    func move(under faults: FaultProxy.Faults) {
        if faults.losesRequests && faults.losesAnswers { isSilent = true }
        carry(from: client, to: server, isLost: faults.losesRequests, faults.delay) { tap?.requests($0) }
        if let server {
            carry(from: server, to: client, isLost: faults.losesAnswers, faults.delay) { tap?.answers($0) }
        }
        client.flush()
        server?.flush()
    }

    private func carry(
        from source: ProxySocket, to target: ProxySocket?, isLost: Bool, _ delay: Double,
        tapped: ([UInt8]) -> PostgresTap.Passage?
    ) {
        switch source.receive() {
        case .nothing:
            break
        case .bytes(let bytes):
            if isLost { isSilent = true }
            guard !isSilent else { return }
            let passage = tapped(bytes) ?? PostgresTap.Passage(bytes: bytes)
            target?.add(passage.bytes, delay: delay)
            guard passage.cuts else { return }
            isSilent = true
            if passage.tellsClient { client.end() }
            if passage.tellsServer { server?.end() }
        case .end:
            // On a half-open connection neither side is told that the other has closed.
            if isSilent { source.close() } else { end() }
        }
    }

    private func end() {
        client.end()
        server?.end()
    }
}
