/// What a file of pgTAP's assertions has printed.
struct TAP {
    /// Each failed assertion with its diagnostics, and what else is wrong with the run.
    private(set) var problems: [String] = []

    init(_ output: String) {
        var planned: Int?
        var ran = 0
        var isInFailure = false
        for line in output.split(separator: "\n") {
            if line.hasPrefix("1..") {
                planned = Int(line.dropFirst(3))
            } else if line.hasPrefix("ok ") {
                ran += 1
                isInFailure = false
            } else if line.hasPrefix("not ok ") {
                ran += 1
                isInFailure = true
                problems.append(String(line))
            } else if isInFailure, line.hasPrefix("#"), !line.hasPrefix("# Looks like") {
                problems[problems.count - 1] += "\n\(line)"
            }
        }
        if planned != ran {
            problems.append("\(planned.map(String.init) ?? "no") assertions are planned, and \(ran) ran")
        }
    }
}
