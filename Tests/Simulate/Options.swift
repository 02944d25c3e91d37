import Simulation

/// The command line.
struct Options {
    var seeds: UInt64 = 20_000
    var first: UInt64 = 1
    /// One schedule, with its whole transcript.
    var seed: UInt64?
    /// Each planted mistake has to be found.
    var isCanary = false
    /// One of them alone.
    var mistake: Mistake?

    static let usage = "usage: script/simulate [--seeds N] [--first S] [--seed S] [--canary] [--mistake NAME]"

    /// `nil` when there is something wrong with the arguments.
    init?(_ arguments: some Sequence<String>) {
        var arguments = arguments.makeIterator()
        while let name = arguments.next() {
            if name == "--canary" {
                isCanary = true
                continue
            }
            guard let value = arguments.next() else { return nil }
            if name == "--mistake", let planted = Mistake(rawValue: value) {
                mistake = planted
                continue
            }
            guard let number = UInt64(value) else { return nil }
            switch name {
            case "--seeds": seeds = number
            case "--first": first = number
            case "--seed": seed = number
            default: return nil
            }
        }
    }
}
