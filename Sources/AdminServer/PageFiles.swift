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
        ("alarm.js", PackageResources.alarm_js),
        ("api.js", PackageResources.api_js),
        ("audit.js", PackageResources.audit_js),
        ("base.css", PackageResources.base_css),
        ("body.js", PackageResources.body_js),
        ("brokers.js", PackageResources.brokers_js),
        ("bulk.js", PackageResources.bulk_js),
        ("chart.js", PackageResources.chart_js),
        ("clients.js", PackageResources.clients_js),
        ("copy.js", PackageResources.copy_js),
        ("dialog.js", PackageResources.dialog_js),
        ("dom.js", PackageResources.dom_js),
        ("exactjson.js", PackageResources.exactjson_js),
        ("format.js", PackageResources.format_js),
        ("frame.css", PackageResources.frame_css),
        ("frame.js", PackageResources.frame_js),
        ("groups.js", PackageResources.groups_js),
        ("history.js", PackageResources.history_js),
        ("historytabs.js", PackageResources.historytabs_js),
        ("holder.js", PackageResources.holder_js),
        ("holders.js", PackageResources.holders_js),
        ("icon.svg", PackageResources.icon_svg),
        ("index.html", PackageResources.index_html),
        ("job.js", PackageResources.job_js),
        ("jobfilter.js", PackageResources.jobfilter_js),
        ("jobs.js", PackageResources.jobs_js),
        ("jobtable.js", PackageResources.jobtable_js),
        ("kit.js", PackageResources.kit_js),
        ("live.js", PackageResources.live_js),
        ("main.js", PackageResources.main_js),
        ("notice.js", PackageResources.notice_js),
        ("operations.js", PackageResources.operations_js),
        ("parts.css", PackageResources.parts_css),
        ("policy.js", PackageResources.policy_js),
        ("put.js", PackageResources.put_js),
        ("reports.js", PackageResources.reports_js),
        ("route.js", PackageResources.route_js),
        ("screens.css", PackageResources.screens_css),
        ("search.js", PackageResources.search_js),
        ("selection.js", PackageResources.selection_js),
        ("session.js", PackageResources.session_js),
        ("sparkline.js", PackageResources.sparkline_js),
        ("states.js", PackageResources.states_js),
        ("table.js", PackageResources.table_js),
        ("texts.js", PackageResources.texts_js),
        ("theme.js", PackageResources.theme_js),
        ("time.js", PackageResources.time_js),
        ("tree.js", PackageResources.tree_js),
        ("tube.js", PackageResources.tube_js),
        ("tubeactions.js", PackageResources.tubeactions_js),
        ("tubecharts.js", PackageResources.tubecharts_js),
        ("tubes.js", PackageResources.tubes_js),
        ("warnings.js", PackageResources.warnings_js),
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
            uniqueKeysWithValues: PageFiles.all.map { name, source in
                let bytes = name.hasSuffix(".js") || name.hasSuffix(".css") ? PageFiles.withoutMargins(source) : source
                return (
                    name,
                    File(type: PageFiles.type(of: name), bytes: ByteBuffer(bytes: bytes), tag: PageFiles.tag(bytes))
                )
            })
        let text = String(decoding: PackageResources.index_html, as: UTF8.self)
        do {
            template = try MustacheTemplate(string: text)
        } catch {
            preconditionFailure("index.html is no template: \(error)")
        }
    }

    /// Leaves out indentation and lines that are comments, a sixth of all: no text in `Page/` spans lines.
    static func withoutMargins(_ source: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(source.count)
        for line in source.split(separator: UInt8(ascii: "\n")) {
            let text = line.drop { $0 == UInt8(ascii: " ") }
            let isComment = ["//", "/*", "* ", "*/"].contains { text.starts(with: $0.utf8) }
            if text.isEmpty || isComment { continue }
            result += text
            result.append(UInt8(ascii: "\n"))
        }
        return result
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
