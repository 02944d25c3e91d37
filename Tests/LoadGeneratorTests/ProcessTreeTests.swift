import Testing

@testable import LoadGenerator

@Suite struct ProcessTreeTests {
    private func entry(_ pid: Int32, _ parent: Int32) throws -> ProcessEntry {
        try #require(
            ProcessEntry(stat: "\(pid) (a) b) R) S \(parent) 1 1 0 -1 4194560 1 2 3 4 10 20 30 40 20 0 1 0 11 22 33\n"))
    }

    @Test func aLineOfProc() throws {
        let process = try entry(12, 3)
        #expect((process.pid, process.parent, process.ticks) == (12, 3, 100))
        #expect(ProcessEntry(stat: "12 (a) S 3") == nil)
        #expect(ProcessEntry(stat: "") == nil)
    }

    @Test func findsAllDescendants() throws {
        let processes = [try entry(5, 4), try entry(2, 1), try entry(3, 2), try entry(4, 2), try entry(6, 1)]
        #expect(Set(ProcessEntry.tree(of: 2, in: processes).map(\.pid)) == [2, 3, 4, 5])
        #expect(ProcessEntry.tree(of: 9, in: processes).isEmpty)
    }

    @Test func labels() throws {
        let tree = try ProcessTree(parsing: "broker=4711")
        #expect((tree.label, tree.pid) == ("broker", 4711))
        for text in ["", "broker", "=1", "broker=", "broker=x", "broker=0", "a=b=1"] {
            #expect(throws: LoadFailure.self) { try ProcessTree(parsing: text) }
        }
    }
}
