import Foundation

/// A file of the page, as it is served at `assets/NAME`.
struct PageAsset: Sendable {
    let name: String
    let contentType: String
    let bytes: [UInt8]
}

/// The page: hand-written modules and style sheets, compiled into the program.
enum PageAssets {
    /// The document. Its addresses are relative: it belongs at the base path with a `/` at its end.
    static let index = PageAsset(
        name: "index.html", contentType: "text/html; charset=utf-8", bytes: PackageResources.index_html)

    /// What the document loads, by name.
    static let all: [String: PageAsset] = Dictionary(
        uniqueKeysWithValues: (scripts + styles + [icon]).map { ($0.name, $0) })

    private static let icon = PageAsset(
        name: "icon.svg", contentType: "image/svg+xml", bytes: PackageResources.icon_svg)

    private static let styles = [
        ("base.css", PackageResources.base_css),
        ("frame.css", PackageResources.frame_css),
        ("parts.css", PackageResources.parts_css),
        ("screens.css", PackageResources.screens_css),
    ].map { name, bytes in PageAsset(name: name, contentType: "text/css; charset=utf-8", bytes: bytes) }

    private static let scripts = [
        ("alarm.js", PackageResources.alarm_js),
        ("api.js", PackageResources.api_js),
        ("audit.js", PackageResources.audit_js),
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
        ("frame.js", PackageResources.frame_js),
        ("groups.js", PackageResources.groups_js),
        ("history.js", PackageResources.history_js),
        ("historytabs.js", PackageResources.historytabs_js),
        ("holder.js", PackageResources.holder_js),
        ("holders.js", PackageResources.holders_js),
        ("job.js", PackageResources.job_js),
        ("jobfilter.js", PackageResources.jobfilter_js),
        ("jobs.js", PackageResources.jobs_js),
        ("jobtable.js", PackageResources.jobtable_js),
        ("live.js", PackageResources.live_js),
        ("main.js", PackageResources.main_js),
        ("notice.js", PackageResources.notice_js),
        ("operations.js", PackageResources.operations_js),
        ("policy.js", PackageResources.policy_js),
        ("put.js", PackageResources.put_js),
        ("reports.js", PackageResources.reports_js),
        ("route.js", PackageResources.route_js),
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
    ].map { name, bytes in
        PageAsset(name: name, contentType: "text/javascript; charset=utf-8", bytes: withoutMargins(bytes))
    }

    /// Leaves out indentation and lines that are comments, a fifth of a script. No script has a text of several lines.
    static func withoutMargins(_ script: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(script.count)
        for line in script.split(separator: UInt8(ascii: "\n")) {
            let text = line.drop { $0 == UInt8(ascii: " ") }
            if text.isEmpty || text.starts(with: "//".utf8) || text.starts(with: "/**".utf8)
                || text.starts(with: "* ".utf8) || text.starts(with: "*/".utf8)
            {
                continue
            }
            result += text
            result.append(UInt8(ascii: "\n"))
        }
        return result
    }
}
