import QueueCore

/// Writes one family after the other.
struct Renderer {
    private(set) var text = TextBuffer()
    private let facts: MetricsFacts
    /// The escaped names of the tubes, one behind the other, and where each of them ends.
    private var names = TextBuffer()
    private var nameEnds: [Int] = []

    private static let durationBounds = DurationHistogram.bounds.map(Renderer.bound)

    init(_ facts: MetricsFacts) {
        self.facts = facts
        for tube in facts.queue.tubes {
            names.append(escaped: tube.name.description)
            nameEnds.append(names.bytes.count)
        }
        text.reserve(64 << 10 + facts.queue.tubes.count * 3 << 10)
    }

    mutating func render(_ family: MetricFamily) {
        let start = text.bytes.count
        let end = appendHead(family)
        appendSamples(family)
        // A head without samples is of no use.
        if text.bytes.count == end { text.truncate(to: start) }
    }

    private mutating func appendHead(_ family: MetricFamily) -> Int {
        text.append("# HELP " as StaticString)
        text.append(family.name)
        text.append(byte: UInt8(ascii: " "))
        text.append(family.help)
        text.append("\n# TYPE " as StaticString)
        text.append(family.name)
        text.append(byte: UInt8(ascii: " "))
        text.append(family.kind.rawValue)
        text.append(byte: UInt8(ascii: "\n"))
        return text.bytes.count
    }

    private mutating func appendSamples(_ family: MetricFamily) {
        switch family.samples {
        case .value(let value):
            guard let value = value(facts) else { return }
            text.append(family.name)
            append(value)
        case .labelled(let samples):
            for sample in samples(facts) {
                text.append(family.name)
                append(labels: zip(family.labels, sample.labels))
                append(sample.value)
            }
        case .histograms(let histograms):
            for (label, histogram) in histograms(facts) {
                var labels = TextBuffer()
                labels.append(family.labels[0])
                labels.append("=\"" as StaticString)
                labels.append(escaped: label)
                labels.append(byte: UInt8(ascii: "\""))
                append(
                    histogram.counts, sum: histogram.sum, bounds: histogram.bounds.map(Renderer.bound),
                    name: Array(family.name.utf8), labels: labels.bytes[...])
            }
        case .tube(let value): appendTubes(family.name, value)
        case .tubeStates: appendParts(family.name, label: "state") { $0.jobs.byState }
        case .tubeClients:
            appendParts(family.name, label: "role") { tube in
                guard tube.using | tube.watching | tube.waiting != 0 else { return [] }
                return [("using", tube.using), ("watching", tube.watching), ("waiting", tube.waiting)]
                    .filter { $0.count > 0 }
            }
        case .tubeAges:
            let ages = facts.oldestReady
            appendTubes(family.name) { tube in ages[tube.name].map { Number($0) } }
        case .tubeHistogram(let histogram): appendHistograms(family.name, histogram)
        }
    }

    // MARK: Samples of tubes

    private mutating func appendTubes(_ name: String, _ value: (TubeSnapshot) -> Number?) {
        let head = Array((name + "{tube=\"").utf8)
        for (index, tube) in facts.queue.tubes.enumerated() {
            guard let value = value(tube) else { continue }
            text.append(head)
            appendName(index)
            text.append("\"}" as StaticString)
            append(value)
        }
    }

    /// Samples for parts of a tube, by one more label.
    private mutating func appendParts(
        _ name: String, label: String, _ parts: (TubeSnapshot) -> [(part: StaticString, count: Int)]
    ) {
        let head = Array((name + "{tube=\"").utf8)
        let middle = Array("\",\(label)=\"".utf8)
        for (index, tube) in facts.queue.tubes.enumerated() {
            for (part, count) in parts(tube) {
                text.append(head)
                appendName(index)
                text.append(middle)
                text.append(part)
                text.append("\"}" as StaticString)
                append(Number(count))
            }
        }
    }

    private mutating func appendHistograms(_ name: String, _ histogram: (TubeActivity) -> DurationHistogram) {
        let name = Array(name.utf8)
        var labels: [UInt8] = []
        for (index, tube) in facts.queue.tubes.enumerated() {
            let histogram = histogram(tube.activity)
            if histogram.counts.isEmpty { continue }
            labels.removeAll(keepingCapacity: true)
            labels.append(contentsOf: "tube=\"".utf8)
            labels.append(contentsOf: names.bytes[nameRange(index)])
            labels.append(UInt8(ascii: "\""))
            append(
                histogram.counts, sum: histogram.sum, bounds: Renderer.durationBounds, name: name,
                labels: labels[...])
        }
    }

    private func nameRange(_ tube: Int) -> Range<Int> { (tube == 0 ? 0 : nameEnds[tube - 1])..<nameEnds[tube] }

    private mutating func appendName(_ tube: Int) {
        text.append(names.bytes[nameRange(tube)])
    }

    // MARK: Pieces

    /// A histogram: its buckets, each with all that are below, its sum and its count.
    private mutating func append(
        _ counts: [UInt64], sum: Double, bounds: [[UInt8]], name: [UInt8], labels: ArraySlice<UInt8>
    ) {
        var total: UInt64 = 0
        for (index, bound) in bounds.enumerated() {
            if index < counts.count { total += counts[index] }
            appendBucket(name, labels, bound, total)
        }
        total = counts.reduce(0, +)
        appendBucket(name, labels, Array("+Inf".utf8), total)
        appendPart(name, "_sum", labels)
        append(Number(sum))
        appendPart(name, "_count", labels)
        append(Number(total))
    }

    private mutating func appendBucket(
        _ name: [UInt8], _ labels: ArraySlice<UInt8>, _ bound: [UInt8], _ count: UInt64
    ) {
        text.append(name)
        text.append("_bucket{" as StaticString)
        text.append(labels)
        text.append(",le=\"" as StaticString)
        text.append(bound)
        text.append("\"}" as StaticString)
        append(Number(count))
    }

    private mutating func appendPart(_ name: [UInt8], _ part: StaticString, _ labels: ArraySlice<UInt8>) {
        text.append(name)
        text.append(part)
        text.append(byte: UInt8(ascii: "{"))
        text.append(labels)
        text.append(byte: UInt8(ascii: "}"))
    }

    private mutating func append(labels: Zip2Sequence<[String], [String]>) {
        var separator = UInt8(ascii: "{")
        for (label, value) in labels {
            text.append(byte: separator)
            text.append(label)
            text.append("=\"" as StaticString)
            text.append(escaped: value)
            text.append(byte: UInt8(ascii: "\""))
            separator = UInt8(ascii: ",")
        }
        text.append(byte: UInt8(ascii: "}"))
    }

    /// A value and the end of its line.
    private mutating func append(_ value: Number) {
        text.append(byte: UInt8(ascii: " "))
        switch value {
        case .integer(let value): text.append(value)
        case .counter(let value): text.append(value)
        case .real(let value): text.append(value)
        }
        text.append(byte: UInt8(ascii: "\n"))
    }

    private static func bound(_ value: Double) -> [UInt8] {
        var text = TextBuffer()
        text.append(value)
        return text.bytes
    }
}

extension JobCounts {
    /// The states by their names. `urgent` is a part of `ready`, so it is not among them.
    var byState: [(part: StaticString, count: Int)] {
        [("ready", ready), ("reserved", reserved), ("delayed", delayed), ("buried", buried)]
    }
}
