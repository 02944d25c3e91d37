import AdminAPI
import Foundation
import HTTPTypes
import HummingbirdCore
import NIOCore

/// The path takes other methods.
struct MethodNotAllowed: Error {
    let methods: [HTTPRequest.Method]
}

/// A request: its path, its query and who asks.
struct Call: Sendable {
    let request: Request
    /// The parts of the path below the base path, decoded.
    let path: [String]
    let query: Query
    let viewer: Viewer
    /// The path that browsers see the page below, with a slash at its end.
    let base: String

    /// - Throws: `Problem` if it is malformed, or if the viewer may not ask.
    init(_ request: Request, from channel: any Channel, _ gate: Guard) async throws {
        self.request = request
        path = try Call.parts(of: request.uri.path, below: gate.configuration.basePath)
        if Call.isProbe(path) {
            // Probes have no credentials, and learn nothing but that.
            (viewer, base) = (Viewer(name: nil, label: "", mayAct: false), "/")
        } else {
            (viewer, base) = try await gate.admit(request, from: channel)
        }
        query = try Query(request.uri.query)
    }

    private static func isProbe(_ path: [String]) -> Bool { path == ["healthz"] || path == ["readyz"] }

    /// Refuses other methods. HEAD is answered as GET, without the body.
    func allow(_ methods: HTTPRequest.Method...) throws {
        let method: HTTPRequest.Method = request.method == .head ? .get : request.method
        guard methods.contains(method) else {
            throw MethodNotAllowed(methods: methods)
        }
    }

    /// Decodes the body.
    func body<Value: Decodable & Sendable>(_: Value.Type = Value.self, limit: Int = 1 << 20) async throws -> Value {
        let type = request.headers[.contentType]?.split(separator: ";").first?.lowercased() ?? ""
        guard type == "application/json" else {
            throw Problem(
                status: 415, title: "The body has to be JSON.", hint: "Send it with Content-Type: application/json.")
        }
        let bytes: ByteBuffer
        do {
            bytes = try await request.body.collect(upTo: limit)
        } catch is NIOTooManyBytesError {
            throw Problem(status: 413, title: "The body is larger than \(limit) bytes.")
        }
        do {
            return try AdminAPI.decoder().decode(Value.self, from: Data(bytes.readableBytesView))
        } catch let error as DecodingError {
            throw Problem(status: 400, title: Call.sentence(error))
        } catch {
            throw Problem(status: 400, title: "The body is no JSON.")
        }
    }

    /// Decodes the body, if there is one.
    func body<Value: Decodable & Sendable>(orNone none: Value) async throws -> Value {
        if request.headers[.contentLength] == "0" { return none }
        if request.headers[.contentLength] == nil, request.headers[.transferEncoding] == nil { return none }
        return try await body()
    }

    private static func sentence(_ error: DecodingError) -> String {
        func place(_ context: DecodingError.Context) -> String {
            context.codingPath.isEmpty ? "The body" : context.codingPath.map(\.stringValue).joined(separator: ".")
        }
        return switch error {
        case .keyNotFound(let key, _): "The body lacks \(key.stringValue)."
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
            "\(place(context)) has not the form that it should have."
        @unknown default: "The body has not the form that it should have."
        }
    }

    /// The parts of a path. They are split before they are decoded: names may have slashes in them.
    private static func parts(of path: String, below base: String) throws -> [String] {
        let root = base.dropLast()
        guard path.hasPrefix(root), path.dropFirst(root.count).first ?? "/" == "/" else { throw Problem.noSuchPath }
        var parts = path.dropFirst(root.count).dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        if parts.last == "" { parts.removeLast() }
        return try parts.map {
            guard let part = String($0).removingPercentEncoding, !part.isEmpty, !part.contains("\0") else {
                throw Problem.noSuchPath
            }
            return part
        }
    }
}
