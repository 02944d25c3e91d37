import AdminAPI
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Mustache
import NIOCore

/// The files of the page, which are compiled into the program.
///
/// A file in `Page/` is served at `assets/NAME` once it is in the list below; a test compares the two. `index.html` is the
/// template of the page itself.
struct PageFiles: Sendable {
    /// The files by their names. SwiftPM writes each name with underscores.
    private static let all: [(name: String, bytes: [UInt8])] = [
        ("index.html", PackageResources.index_html)
    ]

    private struct File: Sendable {
        let type: String
        let bytes: ByteBuffer
        let tag: String
    }

    private let files: [String: File]
    private let template: MustacheTemplate

    init() {
        files = Dictionary(
            uniqueKeysWithValues: PageFiles.all.map { name, bytes in
                (name, File(type: PageFiles.type(of: name), bytes: ByteBuffer(bytes: bytes), tag: PageFiles.tag(bytes)))
            })
        let text = String(decoding: PackageResources.index_html, as: UTF8.self)
        do {
            template = try MustacheTemplate(string: text)
        } catch {
            preconditionFailure("index.html is no template: \(error)")
        }
    }

    /// A file, or only that it has not changed.
    func file(_ name: String, _ call: Call) throws -> Response {
        guard let file = files[name], name != "index.html" else { throw Problem.noSuchPath }
        return answer(call, type: file.type, bytes: file.bytes, tag: file.tag)
    }

    /// The page. It knows below which path it is, and which queue it shows.
    func index(_ call: Call, _ configuration: AdminConfiguration) throws -> Response {
        let text = template.render(
            ["base": call.base, "schema": configuration.schema, "version": configuration.version] as [String: String])
        return answer(
            call, type: "text/html; charset=utf-8", bytes: ByteBuffer(string: text),
            tag: PageFiles.tag(Array(text.utf8)))
    }

    private func answer(_ call: Call, type: String, bytes: ByteBuffer, tag: String) -> Response {
        // Browsers ask each time whether a file has changed: the broker may be another version by then.
        let headers: HTTPFields = [.cacheControl: "no-cache", .eTag: tag]
        let known = call.request.headers[.ifNoneMatch]?.split(separator: ",").map { $0.trimmingPrefix(" ") } ?? []
        if known.contains(where: { $0 == tag || $0 == "W/\(tag)" }) {
            return Response(status: .notModified, headers: headers)
        }
        var response = Response(status: .ok, headers: headers, body: .init(byteBuffer: bytes))
        response.headers[.contentType] = type
        return response
    }

    private static func type(of name: String) -> String {
        switch name.split(separator: ".").last {
        case "html": "text/html; charset=utf-8"
        case "css": "text/css; charset=utf-8"
        case "js": "text/javascript; charset=utf-8"
        case "json": "application/json"
        case "svg": "image/svg+xml"
        case "png": "image/png"
        case "ico": "image/x-icon"
        case "webmanifest": "application/manifest+json"
        default: "application/octet-stream"
        }
    }

    /// FNV-1a of the bytes.
    private static func tag(_ bytes: [UInt8]) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return "\"\(String(hash, radix: 16))\""
    }
}
