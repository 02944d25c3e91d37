import QueueCore

/// Writes one family after the other.
struct Renderer: ~Copyable {
    private var text: TextBuffer
    private let facts: MetricsFacts
    /// The escaped names of the tubes, one behind the other, and where each of them ends.
    private var names = TextBuffer()
    private var nameEnds: [Int] = []

    init(_ facts: MetricsFacts) {
        self.facts = facts
        for tube in facts.queue.tubes {
            names.append(escaped: tube.name.description)
            nameEnds.append(names.count)
        }
        text = TextBuffer(capacity: 64 << 10 + facts.queue.tubes.count << 11)
    }

    var bytes: [UInt8] { text.bytes }

    mutating func render(_ family: MetricFamily) {
        let start = text.count
        appendHead(family)
        let end = text.count
        appendSamples(family)
        // A head without samples is of no use.
        if text.count == end { text.truncate(to: start) }
    }

    private mutating func appendHead(_ family: MetricFamily) {
        text.append("# HELP " as StaticString)
        text.append(family.name)
        text.append(byte: UInt8(ascii: " "))
        text.append(family.help)
        text.append("\n# TYPE " as StaticString)
        text.append(family.name)
        text.append(byte: UInt8(ascii: " "))
        text.append(family.kind.rawValue)
        text.append(byte: UInt8(ascii: "\n"))
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
            for (value, histogram) in histograms(facts) {
                let pieces = HistogramPieces(family.name, label: family.labels[0], bounds: histogram.bounds)
                var label = TextBuffer()
                label.append(escaped: value)
                pieces.append(histogram.counts, sum: histogram.sum, label: label, 0..<label.count, to: &text)
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

    private func nameRange(_ tube: Int) -> Range<Int> { (tube == 0 ? 0 : nameEnds[tube - 1])..<nameEnds[tube] }

    private mutating func appendTubes(_ name: String, _ value: (TubeSnapshot) -> Number?) {
        let head = Array((name + "{tube=\"").utf8)
        for (index, tube) in facts.queue.tubes.enumerated() {
            guard let value = value(tube) else { continue }
            text.append(head)
            text.append(names, nameRange(index))
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
                text.append(names, nameRange(index))
                text.append(middle)
                text.append(part)
                text.append("\"}" as StaticString)
                append(Number(count))
            }
        }
    }

    private mutating func appendHistograms(_ name: String, _ histogram: (TubeActivity) -> DurationHistogram) {
        let pieces = HistogramPieces(name, label: "tube", bounds: DurationHistogram.bounds)
        for (index, tube) in facts.queue.tubes.enumerated() {
            let histogram = histogram(tube.activity)
            if histogram.counts.isEmpty { continue }
            pieces.append(histogram.counts, sum: histogram.sum, label: names, nameRange(index), to: &text)
        }
    }

    // MARK: Pieces

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
}

/// What the lines of all histograms of a family share.
private struct HistogramPieces {
    /// The beginnings of lines, up to the value of the label.
    let bucket: [UInt8]
    let sum: [UInt8]
    let count: [UInt8]
    /// What stands between the value of the label and the number, for each bucket.
    let bucketEnds: [[UInt8]]

    init(_ name: String, label: String, bounds: [Double]) {
        bucket = Array("\(name)_bucket{\(label)=\"".utf8)
        sum = Array("\(name)_sum{\(label)=\"".utf8)
        count = Array("\(name)_count{\(label)=\"".utf8)
        bucketEnds = (bounds + [.infinity]).map { bound in
            var end = TextBuffer()
            end.append("\",le=\"" as StaticString)
            end.append(bound)
            end.append("\"} " as StaticString)
            return end.bytes
        }
    }

    /// Appends a histogram: its buckets, each with all that are below, its sum and its count. The value of its label is a
    /// part of `label`.
    func append(
        _ counts: [UInt64], sum: Double, label: borrowing TextBuffer, _ range: Range<Int>, to text: inout TextBuffer
    ) {
        var total: UInt64 = 0
        for (index, end) in bucketEnds.enumerated() {
            if index < counts.count { total += counts[index] }
            text.append(bucket)
            text.append(label, range)
            text.append(end)
            text.append(total)
            text.append(byte: UInt8(ascii: "\n"))
        }
        text.append(self.sum)
        text.append(label, range)
        text.append("\"} " as StaticString)
        text.append(sum)
        text.append(byte: UInt8(ascii: "\n"))
        text.append(count)
        text.append(label, range)
        text.append("\"} " as StaticString)
        text.append(total)
        text.append(byte: UInt8(ascii: "\n"))
    }
}

extension JobCounts {
    /// The states by their names. `urgent` is a part of `ready`, so it is not among them.
    var byState: [(part: StaticString, count: Int)] {
        [("ready", ready), ("reserved", reserved), ("delayed", delayed), ("buried", buried)]
    }
}
