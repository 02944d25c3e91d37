/// The jobs of an earlier run that a drain has found. Neither the run nor the order is known in advance.
struct DrainedJobs {
    private var run: UInt64?
    private var found: Set<Int> = []

    /// Adds a job.
    /// - Returns: The number of jobs before it.
    /// - Throws: `LoadFailure` when the job was found before, or belongs to another run than the others.
    mutating func take(_ sequence: Int, of run: UInt64, id: UInt64) throws(LoadFailure) -> Int {
        guard self.run ?? run == run else {
            throw LoadFailure("job \(id) is of another run than those before it; a drain takes the jobs of one")
        }
        self.run = run
        guard found.insert(sequence).inserted else { throw LoadFailure("job \(id) was delivered twice") }
        return found.count - 1
    }
}
