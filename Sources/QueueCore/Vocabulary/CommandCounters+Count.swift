extension CommandCounters {
    /// Counts a well-formed command, whatever its answer. beanstalkd has no counters for `reserve-job`, `kick-job`
    /// and `quit` (beanstalkd's doc/protocol.txt, Other Commands).
    mutating func count(_ command: Command) {
        switch command {
        case .put, .putUnique, .putTooBig, .putWithoutCRLF, .malformedPut: put += 1
        case .use: use += 1
        case .reserve: reserve += 1
        case .reserveWithTimeout: reserveWithTimeout += 1
        case .delete: delete += 1
        case .release: release += 1
        case .bury: bury += 1
        case .touch: touch += 1
        case .watch: watch += 1
        case .ignore: ignore += 1
        case .peek: peek += 1
        case .peekReady: peekReady += 1
        case .peekDelayed: peekDelayed += 1
        case .peekBuried: peekBuried += 1
        case .kick: kick += 1
        case .statsJob: statsJob += 1
        case .statsTube: statsTube += 1
        case .stats: stats += 1
        case .listTubes: listTubes += 1
        case .listTubeUsed: listTubeUsed += 1
        case .listTubesWatched: listTubesWatched += 1
        case .pauseTube, .malformedPauseTube: pauseTube += 1
        case .reserveJob, .kickJob, .quit, .malformed, .unknown: break
        }
    }
}
