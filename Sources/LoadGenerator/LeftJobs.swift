/// The jobs of an earlier run, as a drain meets them: neither their run nor their order is known before.
struct LeftJobs {
    private var run: UInt64?
    private var met: Set<Int> = []

    /// Returns how many came before. Fails when the job was there already, or is not of the same run as the others.
    mutating func take(_ sequence: Int, of run: UInt64, id: UInt64) throws(LoadFailure) -> Int {
        guard self.run ?? run == run else {
            throw LoadFailure("job \(id) is of another run than those before it; a drain takes the jobs of one")
        }
        self.run = run
        guard met.insert(sequence).inserted else { throw LoadFailure("job \(id) was delivered twice") }
        return met.count - 1
    }
}
