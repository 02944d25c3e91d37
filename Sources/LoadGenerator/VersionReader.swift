/// A connection that asks which server it is.
final class VersionReader: Client {
    /// As its `stats` tells it, without quotes: Beanrow's own, which tells its builds apart, if there is one.
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
