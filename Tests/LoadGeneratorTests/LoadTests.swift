import Testing

@testable import LoadGenerator

@Suite struct LoadTests {
    @Test func theDefaultsAreRight() throws {
        try Load().check()
    }

    @Test(arguments: [
        ("--producers", load { $0.producers = -1 }), ("--workers", load { $0.workers = -1 }),
        ("--depth", load { $0.depth = 0 }),
        ("--jobs", load { $0.jobs = 0 }), ("--body", load { $0.body = 47 }), ("--tubes", load { $0.tubes = 0 }),
        ("--rate", load { $0.rate = 0 }), ("--rate", load { $0.rate = .nan }), ("--limit", load { $0.limit = 0 }),
        ("--idle", load { $0.idle = -1 }), ("--ttr", load { $0.ttr = 0 }), ("--keep", load { $0.keeps = true }),
        ("--tube", load { $0.tube = "mails" }), ("--tube", load { ($0.tube, $0.workers) = ("-a", 0) }),
        ("--drain", load { ($0.producers, $0.drains) = (0, true) }),
        ("--drain", load { ($0.tube, $0.drains) = ("mails", true) }),
        ("--drain", load { ($0.producers, $0.workers, $0.tube, $0.drains) = (0, 0, "mails", true) }),
        ("--tube", load { ($0.tube, $0.workers) = ("a b", 0) }), ("--tube", load { ($0.tube, $0.workers) = ("ä", 0) }),
    ])
    func refusesValuesOutOfLimits(option: String, load: Load) {
        let failure = #expect(throws: LoadFailure.self) { try load.check() }
        #expect("\(failure!)".hasPrefix(option))
    }

    @Test func aDrainPutsNothing() throws {
        var load = Load()
        #expect((load.puts, load.total, load.kind) == (100_000, 100_000, "live"))
        load.producers = 0
        #expect((load.puts, load.total) == (0, 0))
        (load.tube, load.drains) = ("mails", true)
        try load.check()
        #expect((load.puts, load.total, load.kind) == (0, 100_000, "drain"))
    }

    @Test func aNamedTube() throws {
        var load = Load()
        (load.tube, load.workers, load.keeps) = ("a-b+c/d;e.f$g_h(1)", 0, true)
        try load.check()
        #expect(load.tubeNames("x") == ["x"])
        load.tubes = 3
        #expect(load.tubeNames("x") == ["x-0", "x-1", "x-2"])
    }
}

private func load(_ change: (inout Load) -> Void) -> Load {
    var load = Load()
    change(&load)
    return load
}
