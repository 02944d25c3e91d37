extension Report {
    /// A table for people: a column for each server and, for two servers, a column for their ratio.
    public var table: String {
        var rows = [[""] + servers.map(\.address) + (servers.count == 2 ? ["ratio"] : [])]
        rows.append([""] + servers.map(\.version))
        for figure in Self.rates + Self.latencies + Self.statistics + cpu {
            let values = servers.map { median(figure, of: $0) }
            guard values.contains(where: { $0 != nil }) else { continue }
            let ratio = servers.count == 2 ? [ratio(figure).map { fixed($0, 2) } ?? "-"] : []
            rows.append([figure.title] + values.map { $0.map { text($0, figure.digits) } ?? "-" } + ratio)
        }
        return caption + "\n\n" + Self.aligned(rows)
    }

    private var caption: String {
        var parts = [load.kind, counted(load.producers, "producer"), counted(load.workers, "worker")]
        parts.append("\(counted(load.total, "job")) of \(load.body) bytes")
        if load.depth > 1 { parts.append("\(load.depth) puts in flight each") }
        if load.tubes > 1 { parts.append("\(grouped(load.tubes)) tubes") }
        if let rate = load.rate { parts.append("\(plain(rate)) puts/s planned") }
        if load.idle > 0 { parts.append(counted(load.idle, "silent connection")) }
        let rounds = servers.first?.runs.count ?? 0
        return parts.joined(separator: ", ") + (rounds > 1 ? "; medians of \(rounds) rounds" : "")
    }

    private func text(_ value: Double, _ digits: Int) -> String {
        digits == 0 ? grouped(value) : fixed(value, digits)
    }

    private func counted(_ number: Int, _ noun: String) -> String {
        "\(grouped(number)) \(noun)\(number == 1 ? "" : "s")"
    }

    /// Aligns the first column to the left and the others to the right.
    private static func aligned(_ rows: [[String]]) -> String {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in
            rows.map { $0.count > column ? $0[column].count : 0 }.max() ?? 0
        }
        return rows.map { row in
            row.indices.map { column in
                let space = String(repeating: " ", count: widths[column] - row[column].count)
                return column == 0 ? row[column] + space : "  " + space + row[column]
            }.joined()
        }.joined(separator: "\n")
    }
}
