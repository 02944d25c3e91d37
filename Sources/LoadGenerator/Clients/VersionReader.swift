/// A connection that asks for the version of the server.
final class VersionReader: Client {
    /// From `stats`, without quotes: `beanrow-version` if there is one, else `version`.
    private(set) var version: String?

    var isPrepared: Bool { version != nil }
    let isAtRest = true

    func prepare(_ commands: inout ByteQueue) {
        commands.append("stats\r\n")
    }

    func proceed(at now: Nanoseconds, _ commands: inout ByteQueue) {}

    func take(_ reply: Reply, at now: Nanoseconds, _ commands: inout ByteQueue) throws(LoadFailure) {
        guard case .ok(let body) = reply, version == nil else { throw reply.unexpected(to: "stats") }
        let lines = String(decoding: body, as: UTF8.self).split(separator: "\n")
        let values = ["beanrow-version:", "version:"].compactMap { key in
            lines.first { $0.hasPrefix(key) }?.dropFirst(key.count).filter { $0 != "\"" && $0 != " " }
        }
        version = values.first ?? "unknown"
    }
}
