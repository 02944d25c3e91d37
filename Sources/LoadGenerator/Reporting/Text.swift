// Numbers as people read them.

/// A whole number in groups of three digits: 34,120.
func grouped(_ number: Int) -> String {
    let digits = Array(String(number.magnitude))
    var text = number < 0 ? "-" : ""
    for (index, digit) in digits.enumerated() {
        if index > 0, (digits.count - index) % 3 == 0 { text.append(",") }
        text.append(digit)
    }
    return text
}

func grouped(_ number: Double) -> String {
    grouped(Int(number.rounded()))
}

/// A number with `digits` digits after the point.
func fixed(_ number: Double, _ digits: Int) -> String {
    let scale = (0..<digits).reduce(1) { scale, _ in scale * 10 }
    let scaled = Int((number * Double(scale)).rounded())
    guard digits > 0 else { return String(scaled) }
    let fraction = String(scaled.magnitude % UInt(scale))
    let zeros = String(repeating: "0", count: digits - fraction.count)
    return (scaled < 0 ? "-" : "") + "\(scaled.magnitude / UInt(scale)).\(zeros)\(fraction)"
}

/// A number without unneeded digits.
func plain(_ number: Double) -> String {
    number == number.rounded() ? fixed(number, 0) : "\(number)"
}

/// The middle value, or the mean of the middle two; `nil` without values.
func median(_ values: [Double]) -> Double? {
    guard !values.isEmpty else { return nil }
    let sorted = values.sorted()
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}
