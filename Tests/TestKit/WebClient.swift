import Foundation

/// A client of a broker's admin listener: a connection for each request.
public struct WebClient: Sendable {
    public let port: UInt16
    /// Header lines of every request, besides `Host` and `Connection`.
    public var headers: [String] = []
    /// The line `Host`.
    public var host: String
    /// It lives as long as its client.
    private var broker: BrokerProcess?

    public struct Answer: Sendable {
        public let status: Int
        /// By names in small letters.
        public let headers: [String: String]
        public let body: [UInt8]
        public var text: String { String(decoding: body, as: UTF8.self) }

        /// The body as JSON: dictionaries, arrays, strings and numbers.
        public func json() throws -> Any {
            try JSONSerialization.jsonObject(with: Data(body), options: .fragmentsAllowed)
        }
    }

    /// A client of a broker that was started with `http`.
    public init(_ broker: BrokerProcess) throws {
        guard let url = broker.httpURL, let port = URL(string: url)?.port else {
            throw WireMismatch("the broker serves nothing over HTTP; it said:\n\(broker.stderr)")
        }
        self.init(port: UInt16(port))
        self.broker = broker
    }

    public init(port: UInt16) {
        self.port = port
        host = "127.0.0.1:\(port)"
    }

    /// Sends a request and waits for the whole answer. `json`: its body.
    public func ask(_ method: String, _ path: String, json: String? = nil, _ more: [String] = []) throws -> Answer {
        let client = try begin(method, path, json: json, more)
        let (status, headers) = try head(client)
        var body: [UInt8] = []
        if headers["transfer-encoding"] == "chunked" {
            while let count = try Int(client.readLine(), radix: 16), count > 0 {
                body += try client.readBodyBytes(count)
            }
        } else if method != "HEAD", let count = headers["content-length"].flatMap({ Int($0) }) {
            body = try client.readBytes(count)
        }
        return Answer(status: status, headers: headers, body: body)
    }

    public func get(_ path: String) throws -> Answer { try ask("GET", path) }

    /// `GET` of a path below the API, which has to succeed.
    public func read(_ path: String, fileID: String = #fileID, line: Int = #line) throws -> [String: Any] {
        try check(get("/api/v1/" + path), 200, fileID, line)
    }

    /// `POST` to a path below the API, which has to succeed.
    @discardableResult
    public func post(
        _ path: String, _ json: String = "{}", status: Int = 200, fileID: String = #fileID, line: Int = #line
    ) throws -> [String: Any] {
        try check(ask("POST", "/api/v1/" + path, json: json), status, fileID, line)
    }

    private func check(_ answer: Answer, _ status: Int, _ fileID: String, _ line: Int) throws -> [String: Any] {
        guard answer.status == status, let object = try answer.json() as? [String: Any] else {
            throw WireMismatch("answered \(answer.status): \(answer.text.prefix(2000))", fileID: fileID, line: line)
        }
        return object
    }

    /// Begins to read a stream of server-sent events: the lines of the stream come without the framing of HTTP.
    public func events(_ path: String) throws -> EventStream {
        let client = try begin("GET", path, json: nil, [])
        let (status, headers) = try head(client)
        guard status == 200, headers["content-type"] == "text/event-stream" else {
            throw WireMismatch("no stream of events: \(status) \(headers)")
        }
        return EventStream(client)
    }

    private func begin(_ method: String, _ path: String, json: String?, _ more: [String]) throws -> WireClient {
        let client = try WireClient(address: .tcp(port: port))
        var lines = ["\(method) \(path) HTTP/1.1", "Host: \(host)", "Connection: close"] + headers + more
        if let json { lines += ["Content-Type: application/json", "Content-Length: \(json.utf8.count)"] }
        try client.send(lines.joined(separator: "\r\n") + "\r\n\r\n" + (json ?? ""))
        return client
    }

    private func head(_ client: WireClient) throws -> (status: Int, headers: [String: String]) {
        let first = try client.readLine()
        guard let status = first.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else {
            throw WireMismatch("no line of HTTP: \(first)")
        }
        var headers: [String: String] = [:]
        while case let line = try client.readLine(), !line.isEmpty {
            guard let colon = line.firstIndex(of: ":") else { throw WireMismatch("no header: \(line)") }
            headers[line[..<colon].lowercased()] = line[line.index(after: colon)...].trimmingCharacters(
                in: .whitespaces)
        }
        return (status, headers)
    }
}

/// A stream of server-sent events.
public final class EventStream {
    private let client: WireClient
    private var text = ""

    fileprivate init(_ client: WireClient) {
        self.client = client
    }

    /// The data of the next event of this name.
    ///
    /// A stream has events each second: one that is not among the next two hundred does not come.
    public func next(_ name: String) throws -> [String: Any] {
        var others = 0
        while true {
            while let end = text.firstRange(of: "\n\n") {
                let event = text[..<end.lowerBound].split(separator: "\n")
                text = String(text[end.upperBound...])
                guard event.first == "event: \(name)", let data = event.last?.dropFirst("data: ".count) else {
                    others += 1
                    if others == 200 { throw WireMismatch("the stream has no event \(name)") }
                    continue
                }
                return try JSONSerialization.jsonObject(with: Data(data.utf8)) as? [String: Any] ?? [:]
            }
            guard let count = try Int(client.readLine(), radix: 16), count > 0 else {
                throw WireMismatch("the stream of events has ended")
            }
            text += try client.readBody(count)
        }
    }
}
