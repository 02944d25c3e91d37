import AdminAPI
import QueueCore

/// Tubes whose names begin alike, as rows of one table.
struct TubeGroups: Sendable, Hashable {
    /// Prefixes of the groups whose tubes are listed.
    var open: [String] = []

    /// Tubes that are listed of an open group.
    static let openLimit = 100
    /// Groups that can be open.
    static let mostOpen = 50

    /// `nil` if no groups are asked for.
    init?(_ query: Query) throws {
        guard try query.choice("group", ["0", "1"]) == "1" else { return nil }
        open = (query.text("open") ?? "").split(separator: ",").prefix(TubeGroups.mostOpen).map(String.init).sorted()
    }

    /// The part of a name up to its first separator, with it. `nil`: the name has none, or nothing before it.
    static func prefix(of name: String) -> Substring? {
        let bytes = name.utf8
        guard let end = bytes.firstIndex(where: { isSeparator($0) }), end != bytes.startIndex else { return nil }
        return name[...end]
    }

    private static func isSeparator(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "."), UInt8(ascii: "/"), UInt8(ascii: "_"), UInt8(ascii: "-"): true
        default: false
        }
    }

    /// A group, or a tube that is in none.
    struct Group {
        var prefix: Substring?
        /// Places in the frame.
        var members: [Int] = []
    }

    /// Groups of two tubes or more, and the tubes that are left, in the order in which they are met.
    static func make(_ indexes: [Int], _ frame: Frame) -> [Group] {
        var groups: [Group] = []
        var places: [Substring: Int] = [:]
        for index in indexes {
            guard let prefix = prefix(of: frame.tubes[index].name.description) else {
                groups.append(Group(members: [index]))
                continue
            }
            if let place = places[prefix] {
                groups[place].members.append(index)
            } else {
                places[prefix] = groups.count
                groups.append(Group(prefix: prefix, members: [index]))
            }
        }
        for place in groups.indices where groups[place].members.count == 1 { groups[place].prefix = nil }
        return groups
    }
}

extension TubeTable {
    /// The part of the groups that is asked for. A group weighs as much as its tubes do together, or, where a sum says
    /// nothing, as the heaviest of them.
    func page(of groups: TubeGroups, _ frame: Frame, _ matching: [Int]) -> TubePage {
        let all = TubeGroups.make(matching, frame)
        let names = all.map { group in
            group.prefix.map(String.init) ?? frame.tubes[group.members[0]].name.description
        }
        let weights = all.map { group in
            let members = group.members.lazy.map { weight(frame, $0) }
            return order == .worst || order == .oldest ? members.max() ?? 0 : members.reduce(0, +)
        }
        let places = all.indices.sorted { a, b in
            if weights[a] != weights[b] { return isReversed ? weights[a] < weights[b] : weights[a] > weights[b] }
            return order == .name && isReversed ? names[a] > names[b] : names[a] < names[b]
        }
        let rows = places.dropFirst(offset).prefix(limit).map { place in
            let isOpen = all[place].prefix.map { groups.open.contains(String($0)) } ?? false
            return TubeGroup(frame, all[place], listed: isOpen ? listed(all[place].members, frame) : nil)
        }
        return TubePage(
            at: frame.at, tubes: [], matching: matching.count, total: frame.tubes.count, groups: rows,
            matchingGroups: all.count)
    }

    private func listed(_ members: [Int], _ frame: Frame) -> ArraySlice<Int> {
        var part = self
        (part.offset, part.limit) = (0, TubeGroups.openLimit)
        var members = members
        part.sort(&members, frame)
        return members.prefix(TubeGroups.openLimit)
    }
}

extension TubeGroup {
    /// `members`: In the order in which they are listed.
    init(_ frame: Frame, _ group: TubeGroups.Group, listed members: ArraySlice<Int>?) {
        guard let prefix = group.prefix else {
            self.init(prefix: nil, size: 1, sum: TubeSummary(frame, group.members[0]), tubes: nil)
            return
        }
        var counts = Counts()
        var rate = Frame.Rate()
        var (using, watching, waiting) = (0, 0, 0)
        var oldest: Double?
        var alarm: TubeAlarm?
        for index in group.members {
            let tube = frame.tubes[index]
            counts.add(Counts(tube.jobs))
            rate.puts += frame.rates[index].puts
            rate.deletes += frame.rates[index].deletes
            (using, watching, waiting) = (using + tube.using, watching + tube.watching, waiting + tube.waiting)
            if tube.pauseLeft == 0, let age = frame.oldestReadySeconds(index) { oldest = max(oldest ?? 0, age) }
            if let found = frame.alarm(index), alarm != .full { alarm = found }
        }
        self.init(
            prefix: String(prefix), size: group.members.count,
            sum: TubeSummary(
                name: String(prefix), counts: counts, inPerSecond: rate.puts.tenths,
                outPerSecond: rate.deletes.tenths, oldestReadySeconds: oldest?.tenths, using: using, watching: watching,
                waiting: waiting, pauseSecondsLeft: nil, hasPolicy: false, alarm: alarm),
            tubes: members.map { $0.map { TubeSummary(frame, $0) } })
    }
}

extension Counts {
    fileprivate mutating func add(_ other: Counts) {
        ready += other.ready
        urgent += other.urgent
        reserved += other.reserved
        delayed += other.delayed
        buried += other.buried
    }
}
