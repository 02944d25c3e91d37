import AdminAPI
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Mustache
import NIOCore

/// The files of the page, which are compiled into the program.
///
/// A file in `Page/` is served at `assets/HASH/NAME` once it is in the list below; a test compares the two. The hash is that
/// of all files: browsers keep them and ask for none again until one is another. `index.html` is the template of the page
/// itself, and names the modules of the first screen, so that a browser asks for them at once.
struct PageFiles: Sendable {
    /// The files by their names. SwiftPM writes each name with underscores.
    private static let all: [(name: String, bytes: [UInt8])] = [
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
    /// Of all files.
    private let hash: String
    private let modules: [String]

    init() {
        files = Dictionary(
            uniqueKeysWithValues: PageFiles.all.map { name, source in
                let isText = name.hasSuffix(".js") || name.hasSuffix(".css")
                let plain = isText ? PageFiles.withoutMargins(source) : source
                let bytes = name.hasSuffix(".css") ? PageFiles.withoutGaps(plain) : plain
                return (
                    name,
                    File(type: PageFiles.type(of: name), bytes: ByteBuffer(bytes: bytes), tag: PageFiles.tag(bytes))
                )
            })
        hash = String(PageFiles.hash(files.sorted { $0.key < $1.key }.flatMap { $0.value.tag.utf8 }).prefix(8))
        modules = PageFiles.imported(by: ["main.js", "tubes.js"], files)
        let text = String(decoding: PackageResources.index_html, as: UTF8.self)
        do {
            template = try MustacheTemplate(string: text)
        } catch {
            preconditionFailure("index.html is no template: \(error)")
        }
    }

    /// These modules, and what they import at once, and what that imports.
    private static func imported(by names: [String], _ files: [String: File]) -> [String] {
        var found: Set<String> = []
        var next = names
        while let name = next.popLast() {
            guard let file = files[name], found.insert(name).inserted else { continue }
            next += String(buffer: file.bytes).matches(of: /from '\.\/([a-z]+\.js)'/).map { String($0.1) }
        }
        return found.sorted()
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

    /// Leaves out spaces that mean nothing in a style sheet. No string in `Page/` has these.
    static func withoutGaps(_ css: [UInt8]) -> [UInt8] {
        let text = String(decoding: css, as: UTF8.self)
        return Array(
            text.replacing(": ", with: ":").replacing("; }", with: "}").replacing(" { ", with: "{")
                .replacing("; ", with: ";").utf8)
    }

    /// A file, or only that it has not changed.
    /// `hash`: As the page has named it. A page of another version finds the file too, but shall not keep it.
    func file(_ name: String, hash: String, _ call: Call) throws -> Response {
        guard let file = files[name], name != "index.html" else { throw Problem.noSuchPath }
        let isKept = hash == self.hash
        return answer(
            call, type: file.type, bytes: file.bytes, tag: file.tag,
            cache: isKept ? "private, max-age=31536000, immutable" : "no-cache")
    }

    /// The page. It knows below which path it is, and which queue it shows.
    func index(_ call: Call, _ configuration: AdminConfiguration) throws -> Response {
        let text = template.render(
            [
                "base": call.base, "schema": configuration.schema, "version": configuration.version,
                "assets": "assets/\(hash)", "modules": modules,
            ] as [String: Any])
        return answer(
            call, type: "text/html; charset=utf-8", bytes: ByteBuffer(string: text),
            tag: PageFiles.tag(Array(text.utf8)), cache: "no-cache")
    }

    /// `cache`: Of the page itself browsers ask each time whether it has changed: the broker may be another version by then.
    private func answer(_ call: Call, type: String, bytes: ByteBuffer, tag: String, cache: String) -> Response {
        let headers: HTTPFields = [.cacheControl: cache, .eTag: tag]
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

    private static func tag(_ bytes: [UInt8]) -> String { "\"\(hash(bytes))\"" }

    /// FNV-1a of the bytes.
    private static func hash(_ bytes: [UInt8]) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return String(hash, radix: 16)
    }
}
