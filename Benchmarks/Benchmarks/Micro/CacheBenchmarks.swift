import Benchmark

func cacheBenchmarks() {
    lives("alone, 1 client", clients: 1)
    lives("alone, 64 clients", clients: 64)
    lives("behind 100,000 others, 64 clients", clients: 64, others: 100_000)
    refills()
}

/// A job's put, commit, reserve, delete and commit. All clients put before the first reserves, so that a batch has a
/// job of each.
private func lives(_ what: String, clients: Int, others: Int = 0) {
    Benchmark("cache: a job's life, \(what)") { (benchmark: Benchmark, driver: Driver) in
        var left = benchmark.scaledIterations.count
        while left > 0 {
            driver.live(min(left, clients))
            left -= clients
        }
    } setup: {
        let driver = Driver(clients: clients)
        driver.stock(others)
        return driver
    }
}

/// The largest refill. What happens to its jobs is not measured.
private func refills() {
    Benchmark("cache: a refill of 1,024 jobs", configuration: .init(scalingFactor: .one)) {
        (benchmark: Benchmark, driver: Driver) in
        let count = driver.refill { answer in
            benchmark.startMeasurement()
            answer()
            benchmark.stopMeasurement()
        }
        precondition(count == 1024, "a refill of another size")
    } setup: {
        let driver = Driver(clients: 1, hasBacklog: true)
        // Each refill asks for twice as many jobs as the one before.
        for _ in 0..<5 { driver.refill { $0() } }
        return driver
    }
}
