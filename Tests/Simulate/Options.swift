import Simulation

/// The command line.
struct Options {
    var seeds: UInt64 = 20_000
    var first: UInt64 = 1
    /// Run one schedule and print its whole transcript.
    var seed: UInt64?
    /// Check that each planted mistake is found.
    var isCanary = false
    /// Check one of them alone.
    var mistake: Mistake?

    static let usage = "usage: script/simulate [--seeds N] [--first S] [--seed S] [--canary] [--mistake NAME]"

    /// `nil` when the arguments are wrong.
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
