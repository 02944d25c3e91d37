/// Random numbers that depend on the seed alone, on every system.
public struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    public init(seed: UInt64) {
        state = seed
    }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// True this many times out of a hundred.
    public mutating func percent(_ chance: Int) -> Bool {
        Int.random(in: 0..<100, using: &self) < chance
    }

    public mutating func below(_ limit: Int) -> Int {
        Int.random(in: 0..<limit, using: &self)
    }

    public mutating func pick<Element>(_ choices: [Element]) -> Element {
        choices[below(choices.count)]
    }

    /// One of the choices, with a probability by its weight.
    public mutating func weighted<Element>(_ choices: [(weight: Int, element: Element)]) -> Element {
        var left = below(choices.reduce(0) { $0 + $1.weight })
        for choice in choices {
            left -= choice.weight
            if left < 0 { return choice.element }
        }
        return choices[choices.count - 1].element
    }
}
