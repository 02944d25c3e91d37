import Testing

@testable import QueueCore
@testable import Simulation

@Suite("indexed heap and slot map, against naive models")
struct IndexedHeapTests {
    private struct Member: HeapMember, Vacatable {
        var key = 0
        var heapPosition: Int32 = -1
        mutating func vacate() { self = Member() }
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func heap(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var heap = IndexedHeap<Int>()
        var members = SlotMap<Member>()
        var model: [Int: Int] = [:]
        for step in 0..<400 {
            let key = Int.random(in: 0..<50, using: &random)
            let slot = model.keys.sorted().randomElement(using: &random)
            switch (Int.random(in: 0..<10, using: &random), slot) {
            case (0..<3, let slot?):
                heap.remove(at: Int(members[slot].heapPosition), in: &members)
                #expect(members[slot].heapPosition == -1, "seed \(seed), step \(step)")
                members.remove(slot)
                model[slot] = nil
            case (3..<5, let slot?):
                heap.update(at: Int(members[slot].heapPosition), key: key, in: &members)
                model[slot] = key
            default:
                let slot = members.insert(Member())
                heap.insert(slot, key: key, in: &members)
                model[slot] = key
            }
            #expect(heap.count == model.count && heap.min?.key == model.values.min(), "seed \(seed), step \(step)")
            let isConsistent = model.allSatisfy { slot, key in
                let entry = heap.entries[Int(members[slot].heapPosition)]
                return entry.slot == slot && entry.key == key
            }
            #expect(isConsistent, "seed \(seed), step \(step)")
        }
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func slots(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var map = SlotMap<Member>()
        var model: [Int: Int] = [:]
        for step in 0..<400 {
            if Bool.random(using: &random), let slot = model.keys.sorted().randomElement(using: &random) {
                map.remove(slot)
                model[slot] = nil
            } else {
                let slot = map.insert(Member(key: step))
                #expect(model[slot] == nil, "seed \(seed): slot \(slot) was given twice")
                model[slot] = step
            }
            #expect(map.count == model.count, "seed \(seed)")
            #expect(model.allSatisfy { map[$0].key == $1 }, "seed \(seed)")
        }
        #expect(map.slots.count <= 400)
    }
}
