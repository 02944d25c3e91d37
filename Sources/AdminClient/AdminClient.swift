import AdminAPI
import AsyncHTTPClient
public import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization

/// A client of an admin listener.
public struct AdminClient: Sendable {
    public let address: AdminAddress
    private let credentials: Credentials?
    /// For a whole request.
    private let timeout: Double
    private let http: HTTPClient
    /// Lives as long as the process.
    private static let shared = makeClient(HTTPClient.Configuration())
    /// For https with authorities of one's own, by their file; these live as long too.
    private static let own = Mutex<[String: HTTPClient]>([:])

    /// A refused connection is told at once, and not tried again until the time is over.
    private static func makeClient(_ configuration: HTTPClient.Configuration) -> HTTPClient {
        var configuration = configuration
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.timeout.connect = .seconds(5)
        return HTTPClient(eventLoopGroup: .singletonMultiThreadedEventLoopGroup, configuration: configuration)
    }

    /// The largest answer that is read.
    private static let answerLimit = 1 << 30

    /// - Parameters:
    ///   - address: Where the listener is.
    ///   - credentials: Who asks.
    ///   - authorities: A file of certificates in PEM, of the authorities that are believed instead of the system's.
    ///   - timeout: How long an answer may take, in seconds.
    /// - Throws: `ClientFailure` if `authorities` has no certificate.
    public init(
        _ address: AdminAddress, credentials: Credentials? = nil, authorities: String? = nil, timeout: Double = 10
    ) throws {
        self.address = address
        self.credentials = credentials
        self.timeout = timeout
        guard let authorities else {
            http = AdminClient.shared
            return
        }
        guard let certificates = try? NIOSSLCertificate.fromPEMFile(authorities), !certificates.isEmpty else {
            throw ClientFailure.noAuthorities(file: authorities)
        }
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.trustRoots = .certificates(certificates)
        http = AdminClient.own.withLock { clients in
            let client = clients[authorities] ?? AdminClient.makeClient(.init(tlsConfiguration: tls))
            clients[authorities] = client
            return client
        }
    }

    /// A query; values that are absent are left out.
    public typealias Query = [(name: String, value: String?)]

    /// `path`: Segments below `/api/v1`, not encoded.
    /// - Throws: `ClientFailure`.
    public func get<Answer: Decodable & Sendable>(
        _ path: [String], _ query: Query = [], as: Answer.Type = Answer.self
    ) async throws -> Answer {
        try decode(await send("GET", path, query, body: nil))
    }

    /// - Throws: `ClientFailure`.
    public func post<Answer: Decodable & Sendable>(
        _ path: [String], _ body: some Encodable & Sendable, as: Answer.Type = Answer.self
    ) async throws -> Answer {
        try decode(await send("POST", path, [], body: try AdminAPI.encoder().encode(body)))
    }

    /// The bytes of the answer as they are.
    /// - Throws: `ClientFailure`.
    public func bytes(_ path: [String]) async throws -> Data {
        try await send("GET", path, [], body: nil)
    }

    private func decode<Answer: Decodable>(_ data: Data) throws -> Answer {
        do {
            return try AdminAPI.decoder().decode(Answer.self, from: data)
        } catch {
            throw ClientFailure.foreign(address: "\(address)", reason: "its answer is not \(Answer.self)")
        }
    }

    private func send(_ method: String, _ path: [String], _ query: Query, body: Data?) async throws -> Data {
        var url = address.base + AdminAPI.path
        for segment in path { url += "/" + AdminAddress.encode(segment) }
        let pairs = query.compactMap { pair in pair.value.map { "\(pair.name)=\(AdminAddress.encode($0))" } }
        if !pairs.isEmpty { url += "?" + pairs.joined(separator: "&") }
        var request = HTTPClientRequest(url: url)
        request.method = .init(rawValue: method)
        // A Unix socket has no name; without this the client would send its path.
        if address.base.hasPrefix("http+unix:") { request.headers.add(name: "Host", value: "localhost") }
        request.headers.add(name: "Accept", value: "application/json")
        if let credentials { request.headers.add(name: "Authorization", value: credentials.header) }
        if let body {
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(body)
        }
        let (status, data) = try await exchange(request)
        guard status >= 300 else { return data }
        if let problem = try? AdminAPI.decoder().decode(Problem.self, from: data) {
            throw ClientFailure.refused(problem)
        }
        throw ClientFailure.foreign(address: "\(address)", reason: "it answers with status \(status)")
    }

    private func exchange(_ request: HTTPClientRequest) async throws -> (status: UInt, data: Data) {
        do {
            let response = try await http.execute(
                request, timeout: .milliseconds(Int64(timeout * 1000)))
            let body = try await response.body.collect(upTo: Self.answerLimit)
            return (response.status.code, Data(body.readableBytesView))
        } catch let error as CancellationError {
            throw error
        } catch {
            throw ClientFailure.unreachable(address: "\(address)", reason: Self.reason(error))
        }
    }

    private static func reason(_ error: any Error) -> String {
        if error is NIOSSLError || error is BoringSSLError || error is NIOSSLExtraError {
            return "its certificate is not believed, or it speaks no TLS (\(error)); --ca-file names an authority"
        }
        if let failure = error as? HTTPClientError {
            let slow: [HTTPClientError] = [
                .connectTimeout, .deadlineExceeded, .readTimeout, .getConnectionFromPoolTimeout,
            ]
            if slow.contains(failure) { return "it takes too long" }
            return failure == .remoteConnectionClosed ? "it closes the connection" : failure.shortDescription
        }
        let text = "\(error)"
        if text.contains("ECONNREFUSED") || text.lowercased().contains("connection refused") {
            return "nothing listens there"
        }
        if text.contains("ENOENT") || text.contains("No such file") { return "there is no such socket" }
        if let failure = error as? NIOConnectionError {
            if failure.connectionErrors.contains(where: { "\($0.error)".lowercased().contains("refused") }) {
                return "nothing listens there"
            }
            if failure.connectionErrors.isEmpty { return "there is no host of this name" }
            return failure.connectionErrors.map { "\($0.error)" }.joined(separator: ", ")
        }
        if let failure = error as? IOError { return String(cString: strerror(failure.errnoCode)) }
        return text
    }
}
