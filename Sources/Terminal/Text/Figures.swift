/// Numbers for people.
public enum Figures {
    /// `1,234`; from a million on three digits: `1.23M`. At most 7 cells.
    public static func count(_ number: Int) -> String {
        guard abs(number) >= 1_000_000 else { return grouped(number) }
        for (name, unit) in [("T", 1e12), ("G", 1e9), ("M", 1e6)] where Double(abs(number)) >= unit {
            return digits(Double(number) / unit) + name
        }
        return grouped(number)
    }

    /// With thousands separators.
    public static func grouped(_ number: Int) -> String {
        var text = ""
        for (index, digit) in String(number.magnitude).reversed().enumerated() {
            if index > 0, index.isMultiple(of: 3) { text = "," + text }
            text = String(digit) + text
        }
        return number < 0 ? "-" + text : text
    }

    /// A number a second: `0`, `0.4`, `12.5`, `340`, `1,234`.
    public static func rate(_ perSecond: Double) -> String {
        guard perSecond.isFinite, abs(perSecond) >= 0.05 else { return "0" }
        return abs(perSecond) < 99.95 ? decimal(perSecond, 1) : count(Int(min(max(perSecond, -1e15), 1e15).rounded()))
    }

    /// A length of time in its two largest units: `0s`, `59s`, `4m05s`, `2h05m`, `3d04h`. At most 6 cells below 1000 days.
    public static func age(_ seconds: Double) -> String {
        guard seconds.isFinite else { return "-" }
        let all = Int(min(max(seconds, 0), 1e12))
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        switch all {
        case ..<60: return "\(all)s"
        case ..<3600: return "\(all / 60)m" + two(all % 60) + "s"
        case ..<86400: return "\(all / 3600)h" + two(all / 60 % 60) + "m"
        default: return "\(all / 86400)d" + two(all / 3600 % 24) + "h"
        }
    }

    /// A short length of time, such as a percentile: `2.5ms`, `0.25s`, then as `age`.
    static func duration(_ seconds: Double) -> String {
        if seconds < 0.1 { return decimal(seconds * 1000, seconds < 0.01 ? 1 : 0) + "ms" }
        return seconds < 60 ? decimal(seconds, seconds < 10 ? 2 : 0) + "s" : age(seconds)
    }

    /// `812 B`, `64.0 KiB`.
    static func bytes(_ count: Int) -> String {
        if count < 1024 { return "\(count) B" }
        for (name, unit) in [("GiB", 1 << 30), ("MiB", 1 << 20)] where count >= unit {
            return digits(Double(count) / Double(unit)) + " " + name
        }
        return digits(Double(count) / 1024) + " KiB"
    }

    /// `1 job`, `1,234 jobs`.
    public static func jobs(_ count: Int) -> String {
        counted(count, "job")
    }

    /// `1 bury`, `2 buries`.
    static func counted(_ count: Int, _ one: String, _ many: String? = nil) -> String {
        "\(grouped(count)) \(count == 1 ? one : many ?? one + "s")"
    }

    /// Three digits of a number below 1000, more of a larger one.
    private static func digits(_ value: Double) -> String {
        decimal(value, abs(value) < 9.995 ? 2 : abs(value) < 99.95 ? 1 : 0)
    }

    private static func decimal(_ value: Double, _ places: Int) -> String {
        var scale = 1
        for _ in 0..<places { scale *= 10 }
        let rounded = Int((abs(value) * Double(scale)).rounded())
        let sign = value < 0 && rounded > 0 ? "-" : ""
        guard places > 0 else { return sign + grouped(rounded) }
        let fraction = String(rounded % scale)
        return sign + grouped(rounded / scale) + "."
            + String(repeating: "0", count: places - fraction.count) + fraction
    }
}
