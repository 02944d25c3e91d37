/// The history of each job of a run. It finds jobs that are lost or delivered twice.
struct Ledger {
    /// The number of jobs of the run.
    let jobs: Int
    private(set) var acknowledged = 0
    private(set) var delivered = 0
    private(set) var deleted = 0

    /// The server's id of each job; 0 until it is known.
    private var ids: [UInt64]
    private var marks: [Mark]

    private struct Mark: OptionSet {
        let rawValue: UInt8
        static let acknowledged = Mark(rawValue: 1)
        static let delivered = Mark(rawValue: 2)
        static let deleted = Mark(rawValue: 4)
    }

    init(jobs: Int) {
        self.jobs = jobs
        ids = Array(repeating: 0, count: jobs)
        marks = Array(repeating: [], count: jobs)
    }

    /// A put was answered.
    mutating func acknowledge(_ sequence: Int, id: UInt64) throws(LoadFailure) {
        try note(id, of: sequence)
        marks[sequence].insert(.acknowledged)
        acknowledged += 1
    }

    /// A worker was given the job. This may come before the answer to the put.
    mutating func deliver(_ sequence: Int, id: UInt64) throws(LoadFailure) {
        guard sequence < jobs else { throw LoadFailure("job \(id) is corrupt: its number was never put") }
        guard !marks[sequence].contains(.delivered) else { throw LoadFailure("job \(id) was delivered twice") }
        try note(id, of: sequence)
        marks[sequence].insert(.delivered)
        delivered += 1
    }

    mutating func delete(_ sequence: Int) {
        marks[sequence].insert(.deleted)
        deleted += 1
    }

    /// The jobs that the server is known to have.
    var leftOver: [Int] {
        marks.indices.filter { ids[$0] != 0 && !marks[$0].contains(.deleted) }
    }

    func id(_ sequence: Int) -> UInt64 { ids[sequence] }

    private mutating func note(_ id: UInt64, of sequence: Int) throws(LoadFailure) {
        guard ids[sequence] == 0 || ids[sequence] == id else {
            throw LoadFailure("a job is known as \(ids[sequence]) and as \(id)")
        }
        ids[sequence] = id
    }
}
