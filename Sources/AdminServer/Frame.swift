import Foundation
import PostgresStore
import QueueCore

/// What all viewers see at one moment: an outline of the queue, and how fast its numbers grow.
struct Frame: Sendable {
    var number = 0
    var at = Date()
    var taken = ContinuousClock.now
    var queue = QueueSnapshot()
    /// With tubes at its end that are gone: they stay in sight for an hour.
    var tubes: [TubeLine] = []
    /// How many of the tubes the broker has.
    var present = 0
    /// Puts and deletes a second, for each of the tubes: of the whole queue.
    var rates: [Rate] = []
    /// The same, of this broker alone.
    var own: [Rate] = []
    var total = Rate()
    /// How long the oldest ready jobs have waited.
    private(set) var oldest: OldestReadyAges?
    /// The same for each of the tubes, in seconds, as far as it is known. It is looked up once, since it is asked for often.
    private var ages: [Double?] = []
    /// How many of the tubes need somebody.
    private(set) var alarms = 0
    /// Why the store cannot work; `nil` if it can, or if there is none.
    var storeReason: String?

    struct Rate: Sendable {
        var puts = 0.0
        var deletes = 0.0
    }

    /// The seconds after which a change of a rate shows by two thirds.
    private static let memory = 3.0

    /// `gone`: Tubes that the broker does not have, but that stay in sight.
    init(_ outline: QueueOutline, gone: [TubeName], after last: Frame?) {
        queue = outline.queue
        tubes = outline.tubes
        present = tubes.count
        if !gone.isEmpty { tubes += gone.map { TubeLine(name: $0) } }
        own = last.map { ownRates(after: $0) } ?? Array(repeating: Rate(), count: tubes.count)
        number = last.map { $0.number + 1 } ?? 0
        rates = own
        sumUp()
    }

    mutating func learn(_ oldest: OldestReadyAges?) {
        self.oldest = oldest
        ages = oldest.map { oldest in tubes.map { $0.jobs.ready > 0 ? oldest.seconds(of: $0.name) : nil } } ?? []
        alarms = tubes.indices.count { alarm($0) != nil }
    }

    /// The age of the ready job of a tube that has waited longest, as far as it is known.
    func oldestReadySeconds(_ index: Int) -> Double? { ages.isEmpty ? nil : ages[index] }

    /// Other brokers tell what they do by samples only, so their part is some seconds late.
    mutating func add(sampled: [TubeName: Rate]) {
        guard !sampled.isEmpty else { return }
        for index in tubes.indices {
            guard let all = sampled[tubes[index].name] else { continue }
            rates[index].puts = max(rates[index].puts, all.puts)
            rates[index].deletes = max(rates[index].deletes, all.deletes)
        }
        sumUp()
    }

    private mutating func sumUp() {
        total = rates.reduce(into: Rate()) { total, rate in
            total.puts += rate.puts
            total.deletes += rate.deletes
        }
    }

    /// Rates are means over the last seconds.
    private func ownRates(after last: Frame) -> [Rate] {
        let seconds = max(0.001, (taken - last.taken) / .seconds(1))
        let weight = min(1, seconds / Frame.memory)
        var place = Place(last.tubes)
        return tubes.indices.map { index in
            let tube = tubes[index]
            // A new tube has counted since it came into being.
            let before = place.find(tube.name, mostly: index)
            var rate = before.map { last.own[$0] } ?? Rate()
            let (puts, deletes) = before.map { (last.tubes[$0].puts, last.tubes[$0].deletes) } ?? (0, 0)
            rate.puts = Frame.mix(rate.puts, Frame.grown(puts, tube.puts) / seconds, weight)
            rate.deletes = Frame.mix(rate.deletes, Frame.grown(deletes, tube.deletes) / seconds, weight)
            return rate
        }
    }

    /// A tube that has been removed and made anew counts from 0.
    private static func grown(_ old: UInt64, _ new: UInt64) -> Double { new < old ? Double(new) : Double(new - old) }

    private static func mix(_ old: Double, _ new: Double, _ weight: Double) -> Double {
        let mixed = old + (new - old) * weight
        return mixed < 0.005 ? 0 : mixed
    }
}

/// Where tubes are. Mostly they keep their places; where they do not, they are found by their names.
private struct Place {
    private let tubes: [TubeLine]
    private var places: [TubeName: Int]?

    init(_ tubes: [TubeLine]) {
        self.tubes = tubes
    }

    mutating func find(_ name: TubeName, mostly index: Int) -> Int? {
        if index < tubes.count, tubes[index].name == name { return index }
        if places == nil {
            places = Dictionary(tubes.indices.map { (tubes[$0].name, $0) }, uniquingKeysWith: { first, _ in first })
        }
        return places?[name]
    }
}
