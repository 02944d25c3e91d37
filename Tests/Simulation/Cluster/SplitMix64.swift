@testable import QueueCore

/// Random numbers that follow from a seed.
struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func below(_ limit: Int) -> Int { Int(truncatingIfNeeded: next() >> 33) % limit }
    mutating func within(_ range: ClosedRange<Int>) -> Int { range.lowerBound + below(range.count) }
    /// Whether an event with this chance, in permille, happens.
    mutating func permille(_ chance: Int) -> Bool { chance > 0 && below(1000) < chance }
    mutating func percent(_ chance: Int) -> Bool { permille(chance * 10) }
    mutating func pick<Element>(_ choices: [Element]) -> Element { choices[below(choices.count)] }
    mutating func span(_ microseconds: ClosedRange<Int>) -> Span { .microseconds(Int64(within(microseconds))) }
}
