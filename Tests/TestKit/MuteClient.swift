import Foundation

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// A connection that sends and does not read, or reads only much later.
public final class MuteClient {
    private let descriptor: Int32

    public init(of server: BrokerProcess) throws {
        descriptor = try server.address.connect()
    }

    deinit {
        systemClose(descriptor)
    }

    /// Sends as many bytes as the server takes now.
    /// - Returns: How many it has taken.
    public func offer(_ bytes: ArraySlice<UInt8>) throws -> Int {
        let count = bytes.withUnsafeBytes { systemSend(descriptor, $0.baseAddress!, $0.count) }
        guard count >= 0 || errno == EAGAIN || errno == EINTR else {
            throw WireMismatch("send failed: \(String(cString: strerror(errno)))")
        }
        return max(0, count)
    }

    /// Sends until the server has taken all bytes, or none for this time.
    /// - Returns: How many it has taken.
    public func push(_ bytes: [UInt8], patience seconds: Double = 1) throws -> Int {
        var sent = 0
        var deadline = Deadline(after: seconds)
        while sent < bytes.count, deadline.millisecondsLeft > 0 {
            let count = try offer(bytes[sent...])
            sent += count
            if count > 0 { deadline = Deadline(after: seconds) } else { pause(milliseconds: 5) }
        }
        return sent
    }

    /// Reads what has arrived, up to 1 MiB; `nil` at the end of the connection.
    public func take() throws -> [UInt8]? {
        let capacity = 1 << 20
        var result = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
            result = recv(descriptor, buffer.baseAddress, capacity, 0)
            count = max(0, result)
        }
        guard result >= 0 || errno == EAGAIN || errno == EINTR else {
            throw WireMismatch("receive failed: \(String(cString: strerror(errno)))")
        }
        return result == 0 ? nil : bytes
    }
}
