#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// Asks a server on 127.0.0.1 by HTTP 1.0 and reads to the end of the connection.
/// - Returns: The status, the headers by their names in small letters, and the body.
/// - Throws: `WireMismatch` if nobody listens, or no whole answer comes in time.
public func httpGet(
    port: UInt16, _ path: String
) throws -> (status: Int, headers: [String: String], body: [UInt8]) {
    let descriptor = try ServerAddress.tcp(port: port).connect()
    defer { systemClose(descriptor) }
    let deadline = Deadline(after: patience)
    func wait(_ events: Int32) throws {
        var entry = pollfd(fd: descriptor, events: Int16(events), revents: 0)
        guard poll(&entry, 1, deadline.millisecondsLeft) != 0 else {
            throw WireMismatch("no answer to GET \(path) within \(patience) s")
        }
    }
    var request = Array("GET \(path) HTTP/1.0\r\nHost: 127.0.0.1:\(port)\r\nConnection: close\r\n\r\n".utf8)
    while !request.isEmpty {
        try wait(Int32(POLLOUT))
        let count = request.withUnsafeBytes { systemSend(descriptor, $0.baseAddress!, $0.count) }
        if count > 0 { request.removeFirst(count) } else if errno != EAGAIN { break }
    }
    var answer: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
        try wait(Int32(POLLIN))
        let count = systemRead(descriptor, &buffer, buffer.count)
        if count > 0 { answer += buffer[..<count] } else if count == 0 || errno != EAGAIN && errno != EINTR { break }
    }
    guard let end = answer.firstRange(of: Array("\r\n\r\n".utf8)) else {
        throw WireMismatch("no HTTP: \(String(decoding: answer.prefix(300), as: UTF8.self))")
    }
    let head = String(decoding: answer[..<end.lowerBound], as: UTF8.self).split(separator: "\r\n")
    guard let status = head.first?.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else {
        throw WireMismatch("no HTTP status: \(head)")
    }
    var headers: [String: String] = [:]
    for line in head.dropFirst() {
        let parts = line.split(separator: ":", maxSplits: 1)
        if parts.count == 2 { headers[parts[0].lowercased()] = String(parts[1].drop { $0 == " " }) }
    }
    return (status, headers, Array(answer[end.upperBound...]))
}
