/// A connection that asks which server it is.
final class VersionReader: Client {
    /// As its `stats` tells it, without quotes.
    private(set) var version: String?

    var isPrepared: Bool { version != nil }
    let isAtRest = true

    func prepare(_ commands: inout ByteQueue) {
        commands.append("stats\r\n")
    }

    func proceed(at now: Nanoseconds, _ commands: inout ByteQueue) {}

    func take(_ reply: Reply, at now: Nanoseconds, _ commands: inout ByteQueue) throws(LoadFailure) {
        guard case .ok(let body) = reply, version == nil else { throw reply.unexpected(to: "stats") }
        let line = String(decoding: body, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix("version:") }
        version = line.map { $0.dropFirst("version:".count).filter { $0 != "\"" && $0 != " " } } ?? "unknown"
    }
}
