import AdminAPI

/// The states of a job, each with a word, a shape and a colour.
public enum JobState: String, Hashable, Sendable, CaseIterable {
    case ready, reserved, delayed, buried

    func count(in counts: Counts) -> Int {
        switch self {
        case .ready: counts.ready
        case .reserved: counts.reserved
        case .delayed: counts.delayed
        case .buried: counts.buried
        }
    }
}

/// The characters that pictures are made of.
public enum Charset: Hashable, Sendable {
    case unicode, ascii

    /// By the variables of the locale: the first of LC_ALL, LC_CTYPE and LANG that is set decides.
    public init(locale: (String) -> String?) {
        let name = ["LC_ALL", "LC_CTYPE", "LANG"].compactMap { locale($0) }.first { !$0.isEmpty } ?? ""
        let isUnicode = name.uppercased().contains("UTF-8") || name.uppercased().contains("UTF8")
        self = isUnicode ? .unicode : .ascii
    }

    /// The shape of a state.
    public func shape(_ state: JobState) -> String {
        switch (self, state) {
        case (.unicode, .ready): "█"
        case (.unicode, .reserved): "▓"
        case (.unicode, .delayed): "▒"
        case (.unicode, .buried): "×"
        case (.ascii, .ready): "#"
        case (.ascii, .reserved): "="
        case (.ascii, .delayed): "-"
        case (.ascii, .buried): "x"
        }
    }

    /// The text with no other characters than this terminal has.
    func restrict(_ text: String) -> String {
        guard self == .ascii, !text.utf8.allSatisfy({ $0 < 0x80 }) else { return text }
        return text.unicodeScalars.reduce(into: "") { restricted, scalar in
            switch scalar {
            case "…": restricted += "~"
            case "·": restricted += "-"
            case "↑": restricted += "^"
            case "↓": restricted += "v"
            case _ where scalar.isASCII: restricted.unicodeScalars.append(scalar)
            default: restricted += String(repeating: "?", count: Cells.width(scalar))
            }
        }
    }
}

/// A bar of the jobs of a tube by state.
enum Bar {
    /// A bar in so many cells. `largest` jobs fill all of them. The length is logarithmic, so that 10 and 1,000,000 jobs
    /// both show; the parts are shares of the length, and a state that has jobs has a cell.
    static func line(_ counts: Counts, largest: Int, cells: Int, _ charset: Charset) -> Line {
        let numbers = JobState.allCases.map { (state: $0, count: $0.count(in: counts)) }.filter { $0.count > 0 }
        let total = counts.all
        guard total > 0, cells >= numbers.count else { return Line(String(repeating: " ", count: cells)) }
        let share = log2OfOneMore(total) / max(log2OfOneMore(max(largest, total)), 1)
        let length = min(cells, max(numbers.count, Int((share * Double(cells)).rounded())))
        var parts = numbers.map { max(1, Int(Double($0.count) / Double(total) * Double(length))) }
        // What rounding has left goes to the largest; what the single cells have cost comes from it.
        let largestPart = parts.indices.max { numbers[$0].count < numbers[$1].count }!
        parts[largestPart] += length - parts.reduce(0, +)
        var line = Line()
        for (number, part) in zip(numbers, parts) {
            line.add(String(repeating: charset.shape(number.state), count: part), .state(number.state))
        }
        line.add(String(repeating: " ", count: cells - length))
        return line
    }

    /// Exact enough for cells, and without a library of mathematics.
    private static func log2OfOneMore(_ number: Int) -> Double {
        let value = Double(number) + 1
        let exponent = value.exponent
        return Double(exponent) + (value.significand - 1)
    }
}
