import AdminAPI
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore

extension HTTPField.Name {
    static let referrerPolicy = HTTPField.Name("Referrer-Policy")!
    static let xFrameOptions = HTTPField.Name("X-Frame-Options")!
    static let crossOriginOpenerPolicy = HTTPField.Name("Cross-Origin-Opener-Policy")!
    static let crossOriginResourcePolicy = HTTPField.Name("Cross-Origin-Resource-Policy")!
    static let secFetchSite = HTTPField.Name("Sec-Fetch-Site")!
    static let xForwardedPrefix = HTTPField.Name("X-Forwarded-Prefix")!
    static let xForwardedHost = HTTPField.Name("X-Forwarded-Host")!
    static let retryAfter = HTTPField.Name("Retry-After")!
    static let host = HTTPField.Name("Host")!
    static let allow = HTTPField.Name("Allow")!
    static let origin = HTTPField.Name("Origin")!
}

extension Response {
    static func json(_ value: some Encodable, status: HTTPResponse.Status = .ok) throws -> Response {
        json(bytes: ByteBuffer(bytes: try AdminAPI.encoder().encode(value)), status: status)
    }

    static func json(bytes: ByteBuffer, status: HTTPResponse.Status = .ok) -> Response {
        Response(status: status, headers: [.contentType: "application/json"], body: .init(byteBuffer: bytes))
    }

    static func text(_ text: String) -> Response {
        Response(
            status: .ok, headers: [.contentType: "text/plain; charset=utf-8"],
            body: .init(byteBuffer: ByteBuffer(string: text)))
    }

    static func problem(_ problem: Problem) -> Response {
        let bytes = (try? AdminAPI.encoder().encode(problem)) ?? Data()
        var response = Response(
            status: .init(code: problem.status), headers: [.contentType: "application/problem+json"],
            body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
        switch problem.status {
        case 401: response.headers[.wwwAuthenticate] = "Basic realm=\"beanrow\", charset=\"UTF-8\""
        case 503: response.headers[.retryAfter] = "1"
        default: break
        }
        return response
    }
}
