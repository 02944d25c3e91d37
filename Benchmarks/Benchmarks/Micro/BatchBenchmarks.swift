import Benchmark
@_spi(Benchmarks) import PostgresStore
import QueueCore

func batchBenchmarks() {
    for count in [1, 16, 256] {
        let puts = Driver(clients: 1).batch(ofPuts: count)!
        let deletes = Driver(clients: 1).batch(ofDeletes: count)!
        precondition(puts.puts.count == count && deletes.deletes.count == count, "batches of another size")
        Benchmark("batch: change of counts by \(count) puts") { benchmark in
            for _ in benchmark.scaledIterations { blackHole(puts.countChanges) }
        }
        encodes("\(count) puts of 200 B", puts)
        encodes("\(count) deletes", deletes)
    }
}

/// Up to libpq, which would copy it all once more.
private func encodes(_ what: String, _ batch: WriteBatch) {
    Benchmark("batch: parameters of \(what)") { benchmark in
        for _ in benchmark.scaledIterations { blackHole(BatchEncoding.byteCount(of: batch)) }
    }
}
