import Benchmark

let benchmarks: @Sendable () -> Void = {
    Benchmark.defaultConfiguration = .init(
        // No CPU time: the tool reads it in ticks of 10 ms, and these take one or two. The tool leaves out instructions
        // where the machine does not count them, as on most virtual machines.
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
