import NIOCore
public import QueueCore

/// Where a client is, and since when.
struct ClientPeer: Sendable {
    let id: ConnectionID
    let address: String
    let connectedSeconds: Double
    let idleSeconds: Double

    /// `10.0.0.7:5123`, `[::1]:5123`, or `unix`.
    static func describe(_ address: SocketAddress?) -> String {
        guard let ip = address?.ipAddress, let port = address?.port else { return "unix" }
        return ip.contains(":") ? "[\(ip)]:\(port)" : "\(ip):\(port)"
    }
}

/// A client of this broker at one moment.
public struct ConnectedClient: Sendable {
    /// What the queue knows of it.
    public var state: ClientSnapshot
    /// `10.0.0.7:5123`, `[::1]:5123`, or `unix`.
    public var address: String
    public var connectedSeconds: Double
    /// Since it last sent something, or was served.
    public var idleSeconds: Double
}
