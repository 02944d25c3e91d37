import AdminAPI
import Foundation
import HTTPTypes
import HummingbirdCore
import NIOCore

/// Decides whether a request is heard, before anything is read of it.
struct Guard: Sendable {
    let configuration: AdminConfiguration
    let passwords: Passwords
    private var access: Access { configuration.access }

    init(_ configuration: AdminConfiguration) {
        self.configuration = configuration
        passwords = Passwords(configuration.access.users)
    }

    /// Who asks, and below which path the browser sees the page.
    /// - Throws: `Problem` if the request is not heard.
    func admit(_ request: Request, from channel: any Channel) async throws -> (viewer: Viewer, base: String) {
        let peer = channel.remoteAddress?.ipAddress.map(Guard.plain)
        let isProxy = peer.map { access.trustedProxies.contains($0) } ?? false
        if configuration.address.isLoopback, peer != nil, !isProxy { try checkHost(request) }
        if request.method != .get, request.method != .head { try checkOrigin(request, isProxy: isProxy) }
        let name = try await name(request, isProxy: isProxy)
        let viewer = Viewer(name: name, label: name ?? peer ?? "unix", mayAct: access.allowsActions)
        let prefix = isProxy ? Guard.prefix(request.headers[.xForwardedPrefix]) : ""
        return (viewer, prefix + configuration.basePath)
    }

    /// An IPv4 address that came over an IPv6 socket, as IPv4.
    private static func plain(_ address: String) -> String {
        address.hasPrefix("::ffff:") && address.contains(".") ? String(address.dropFirst(7)) : address
    }

    // MARK: Where it came from

    /// A page of somebody else may have its name resolved to 127.0.0.1 (DNS rebinding), but it cannot choose the name
    /// in this header.
    private func checkHost(_ request: Request) throws {
        guard let authority = request.head.authority ?? request.headers[.host] else {
            throw Problem(status: 400, title: "The request names no host.")
        }
        let host = Guard.host(of: authority)
        guard AdminConfiguration.isLoopback(host) || access.hosts.contains(host) else {
            throw Problem(
                status: 403, title: "This listener is not known as \(host.prefix(100)).",
                hint: "Open it as localhost, or start the broker with --http-host \(host.prefix(100)).")
        }
    }

    /// The name of an authority, without its port, in small letters.
    static func host(of authority: String) -> String {
        let text = authority.lowercased()
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
            return String(text[text.index(after: text.startIndex)..<end])
        }
        return String(text.prefix { $0 != ":" })
    }

    /// Refuses what a page of another origin makes a browser send.
    private func checkOrigin(_ request: Request, isProxy: Bool) throws {
        if let site = request.headers[.secFetchSite], !["same-origin", "none"].contains(site.lowercased()) {
            throw Problem.forged
        }
        guard let origin = request.headers[.origin] else { return }
        guard let authority = origin.split(separator: "/", maxSplits: 2).last, origin.contains("://") else {
            throw Problem.forged
        }
        var own = [request.head.authority, request.headers[.host]]
        if isProxy { own.append(request.headers[.xForwardedHost]) }
        guard own.contains(where: { $0?.lowercased() == authority.lowercased() }) else { throw Problem.forged }
    }

    /// A path that may stand before the base path.
    private static func prefix(_ header: String?) -> String {
        guard var prefix = header, prefix.hasPrefix("/"), !prefix.hasPrefix("//"), prefix.utf8.count <= 200,
            prefix.utf8.allSatisfy({ byte in
                (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                    || [45, 46, 47, 95, 126].contains(byte)
            })
        else { return "" }
        while prefix.hasSuffix("/") { prefix.removeLast() }
        return prefix
    }

    // MARK: Who asks

    private func name(_ request: Request, isProxy: Bool) async throws -> String? {
        guard access.isNamed else { return nil }
        if isProxy, let header = access.userHeader.flatMap({ HTTPField.Name($0) }) {
            if let name = request.headers[header], !name.isEmpty { return String(name.prefix(200)) }
        }
        guard let authorization = request.headers[.authorization] else { throw Problem.unknownViewer }
        let parts = authorization.split(separator: " ", maxSplits: 1)
        guard parts.count == 2 else { throw Problem.unknownViewer }
        switch parts[0].lowercased() {
        case "bearer":
            guard access.tokens.contains(where: { Guard.areEqual($0, String(parts[1])) }) else {
                throw Problem.unknownViewer
            }
            return "token"
        case "basic":
            guard let data = Data(base64Encoded: String(parts[1])), let text = String(data: data, encoding: .utf8),
                let colon = text.firstIndex(of: ":")
            else { throw Problem.unknownViewer }
            let name = String(text[..<colon])
            guard await passwords.isRight(String(text[text.index(after: colon)...]), of: name) else {
                throw Problem.unknownViewer
            }
            return name
        default: throw Problem.unknownViewer
        }
    }

    /// Takes as long for each text of the same length.
    static func areEqual(_ a: String, _ b: String) -> Bool {
        let (a, b) = (Array(a.utf8), Array(b.utf8))
        guard a.count == b.count else { return false }
        return zip(a, b).reduce(0 as UInt8) { $0 | ($1.0 ^ $1.1) } == 0
    }
}

extension Problem {
    static let forged = Problem(
        status: 403, title: "A page of another origin sent this request.",
        hint: "Actions are taken from the page of this listener, and from programs that send no Origin.")
    static let unknownViewer = Problem(
        status: 401, title: "Nobody is known by these credentials.",
        hint: "Send a name and a password of --http-users, or a token of --http-token.")
}
