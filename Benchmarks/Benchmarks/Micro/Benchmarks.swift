import Benchmark

let benchmarks: @Sendable () -> Void = {
    Benchmark.defaultConfiguration = .init(
        // No CPU time: the tool reads it in ticks of 10 ms, and these take one or two. Instructions are left out by
        // the tool where the machine does not count them, as most virtual ones do not.
        metrics: [.wallClock, .throughput, .instructions],
        warmupIterations: 3,
        // One operation is too short for the clock.
        scalingFactor: .kilo,
        maxDuration: .seconds(1)
    )
    decoderBenchmarks()
    encoderBenchmarks()
    cacheBenchmarks()
    batchBenchmarks()
}
