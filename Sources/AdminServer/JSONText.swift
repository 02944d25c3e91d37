import AdminAPI
import Foundation
import NIOCore

/// JSON by hand, for the table of tubes: it is made each second for all viewers, and `JSONEncoder` would take most of the
/// time that the listener may have.
struct JSONText {
    private(set) var bytes = ByteBuffer()
    private var isFirst = true

    init(capacity: Int) { bytes.reserveCapacity(capacity) }

    mutating func object(_ key: StaticString? = nil, _ body: (inout JSONText) -> Void) {
        open(key, "{")
        body(&self)
        close("}")
    }

    mutating func array<Elements: Sequence>(
        _ key: StaticString, _ elements: Elements, _ body: (inout JSONText, Elements.Element) -> Void
    ) {
        open(key, "[")
        for element in elements { body(&self, element) }
        close("]")
    }

    mutating func add(_ key: StaticString, _ value: Int) {
        begin(key)
        bytes.writeString(String(value))
    }

    mutating func add(_ key: StaticString, _ value: Bool) {
        begin(key)
        bytes.writeStaticString(value ? "true" : "false")
    }

    /// With one digit behind the point; left out if there is none.
    mutating func add(_ key: StaticString, tenths value: Double?) {
        guard let value, value.isFinite, abs(value) < 1e15 else { return }
        begin(key)
        let tenths = Int((value * 10).rounded())
        if tenths < 0 { bytes.writeStaticString("-") }
        bytes.writeString(String(abs(tenths) / 10))
        if tenths % 10 != 0 {
            bytes.writeStaticString(".")
            bytes.writeInteger(UInt8(48 + abs(tenths) % 10))
        }
    }

    /// A text without characters that JSON escapes, as names of tubes and times are.
    mutating func add(_ key: StaticString, plain value: String) {
        begin(key)
        bytes.writeStaticString("\"")
        bytes.writeString(value)
        bytes.writeStaticString("\"")
    }

    private mutating func open(_ key: StaticString?, _ bracket: StaticString) {
        begin(key)
        bytes.writeStaticString(bracket)
        isFirst = true
    }

    private mutating func close(_ bracket: StaticString) {
        bytes.writeStaticString(bracket)
        isFirst = false
    }

    private mutating func begin(_ key: StaticString?) {
        if !isFirst { bytes.writeStaticString(",") }
        isFirst = false
        guard let key else { return }
        bytes.writeStaticString("\"")
        bytes.writeStaticString(key)
        bytes.writeStaticString("\":")
    }
}

extension TubePage {
    /// As `AdminAPI.encoder` would write it.
    var json: ByteBuffer {
        var text = JSONText(capacity: 200 + 350 * (tubes.count + (groups?.count ?? 0)))
        text.object { text in
            text.add("at", plain: at.formatted(TubePage.timeFormat))
            text.array("tubes", tubes) { text, tube in text.object { tube.write(to: &$0) } }
            text.add("matching", matching)
            text.add("total", total)
            if let groups { text.array("groups", groups) { text, group in text.object { group.write(to: &$0) } } }
            if let matchingGroups { text.add("matching_groups", matchingGroups) }
        }
        return text.bytes
    }

    private static let timeFormat = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
}

extension TubeGroup {
    fileprivate func write(to text: inout JSONText) {
        if let prefix { text.add("prefix", plain: prefix) }
        text.add("size", size)
        text.object("sum") { sum.write(to: &$0) }
        if let tubes { text.array("tubes", tubes) { text, tube in text.object { tube.write(to: &$0) } } }
    }
}

extension TubeSummary {
    fileprivate func write(to text: inout JSONText) {
        text.add("name", plain: name)
        text.object("counts") { text in
            text.add("ready", counts.ready)
            text.add("urgent", counts.urgent)
            text.add("reserved", counts.reserved)
            text.add("delayed", counts.delayed)
            text.add("buried", counts.buried)
        }
        text.add("in_per_second", tenths: inPerSecond)
        text.add("out_per_second", tenths: outPerSecond)
        text.add("oldest_ready_seconds", tenths: oldestReadySeconds)
        text.add("using", using)
        text.add("watching", watching)
        text.add("waiting", waiting)
        text.add("pause_seconds_left", tenths: pauseSecondsLeft)
        text.add("has_policy", hasPolicy)
        if let alarm { text.add("alarm", plain: alarm.rawValue) }
    }
}
