import AdminAPI
import Foundation
import QueueCore

/// The table of tubes, as `GET /tubes` and its events ask for it.
struct TubeTable: Sendable, Hashable {
    enum Order: String, CaseIterable {
        case name, ready, reserved, delayed, buried, `in`, out, oldest, waiting, worst
    }

    var filter: String?
    var prefix: String?
    var order = Order.worst
    var isReversed = false
    var limit = 100
    var offset = 0
    /// Lists groups instead of tubes.
    var groups: TubeGroups?

    static let parameters = ["filter", "prefix", "sort", "limit", "offset", "group", "open"]

    init(_ query: Query) throws {
        filter = query.text("filter")
        prefix = query.text("prefix")
        let sort = try query.value("sort") ?? "worst"
        isReversed = sort.hasPrefix("-")
        guard let order = Order(rawValue: isReversed ? String(sort.dropFirst()) : sort) else {
            throw Problem(
                status: 400, title: "The parameter sort names no order.",
                hint:
                    "There are \(Order.allCases.map(\.rawValue).joined(separator: ", ")), with a hyphen before them to reverse."
            )
        }
        self.order = order
        limit = try query.count("limit", default: 100, limit: 1000)
        offset = try query.count("offset", default: 0, limit: 1_000_000_000, from: 0)
        groups = try TubeGroups(query)
    }

    /// The part of the tubes that is asked for. Names are in their order; numbers begin with the largest.
    func page(_ frame: Frame) -> TubePage {
        let tubes = frame.tubes
        var matching: [Int]
        if filter == nil, prefix == nil {
            matching = Array(tubes.indices)
        } else {
            let filter = filter.map { Array($0.lowercased().utf8) }
            let prefix = prefix.map { Array($0.utf8) }
            matching = tubes.indices.filter { index in
                let name = tubes[index].name.description.utf8
                if let prefix, !name.starts(with: prefix) { return false }
                if let filter, !TubeTable.contains(name, filter) { return false }
                return true
            }
        }
        if let groups { return page(of: groups, frame, matching) }
        sort(&matching, frame)
        let part = matching.dropFirst(offset).prefix(limit)
        return TubePage(
            at: frame.at, tubes: part.map { TubeSummary(frame, $0) }, matching: matching.count, total: tubes.count)
    }

    private static func contains(_ name: String.UTF8View, _ part: [UInt8]) -> Bool {
        guard let first = part.first else { return true }
        func small(_ byte: UInt8) -> UInt8 { (65...90).contains(byte) ? byte | 32 : byte }
        var start = name.startIndex
        while start != name.endIndex {
            if small(name[start]) == first, name[start...].lazy.map(small).starts(with: part) { return true }
            start = name.index(after: start)
        }
        return false
    }

    // MARK: Order

    func sort(_ indexes: inout [Int], _ frame: Frame) {
        let tubes = frame.tubes
        func byName(_ a: Int, _ b: Int) -> Bool { tubes[a].name.description < tubes[b].name.description }
        if order == .name {
            indexes.sort { isReversed ? byName($1, $0) : byName($0, $1) }
            return
        }
        // The weights are computed once, and only the rows that are shown need their exact place.
        var weights = [Double](repeating: 0, count: tubes.count)
        for index in indexes { weights[index] = weight(frame, index) }
        func isBefore(_ a: Int, _ b: Int) -> Bool {
            weights[a] != weights[b]
                ? (isReversed ? weights[a] < weights[b] : weights[a] > weights[b]) : byName(a, b)
        }
        let needed = offset + limit
        if indexes.count > 4 * needed {
            indexes.moveFirst(needed, by: isBefore)
        } else {
            indexes.sort(by: isBefore)
        }
    }

    func weight(_ frame: Frame, _ index: Int) -> Double {
        let tube = frame.tubes[index]
        switch order {
        case .name: return 0
        case .ready: return Double(tube.jobs.ready)
        case .reserved: return Double(tube.jobs.reserved)
        case .delayed: return Double(tube.jobs.delayed)
        case .buried: return Double(tube.jobs.buried)
        case .in: return frame.rates[index].puts
        case .out: return frame.rates[index].deletes
        case .oldest: return frame.oldestReadySeconds(index) ?? -1
        case .waiting: return Double(tube.waiting)
        case .worst: return Urgency.weight(tube, frame.rates[index], age: frame.oldestReadySeconds(index))
        }
    }
}

extension [Int] {
    /// Brings the first `count` elements to the front, in their order; the rest is in no order.
    mutating func moveFirst(_ count: Int, by isBefore: (Int, Int) -> Bool) {
        var heap: [Int] = []
        heap.reserveCapacity(count + 1)
        // The largest of the chosen is at the top of the heap.
        func siftUp(_ heap: inout [Int]) {
            var child = heap.count - 1
            while child > 0, isBefore(heap[(child - 1) / 2], heap[child]) {
                heap.swapAt(child, (child - 1) / 2)
                child = (child - 1) / 2
            }
        }
        func siftDown(_ heap: inout [Int]) {
            var parent = 0
            while true {
                var next = parent
                for child in [2 * parent + 1, 2 * parent + 2]
                where child < heap.count && isBefore(heap[next], heap[child]) {
                    next = child
                }
                if next == parent { return }
                heap.swapAt(parent, next)
                parent = next
            }
        }
        var rest: [Int] = []
        rest.reserveCapacity(self.count)
        for element in self {
            if heap.count < count {
                heap.append(element)
                siftUp(&heap)
            } else if count > 0, isBefore(element, heap[0]) {
                rest.append(heap[0])
                heap[0] = element
                siftDown(&heap)
            } else {
                rest.append(element)
            }
        }
        self = heap.sorted(by: isBefore) + rest
    }
}
