/// One transaction of a writer: puts of new jobs, and changes of jobs whose lease this broker has.
///
/// The outcome is one for all of them: committed or not.
public struct WriteBatch: Sendable {
    public var epoch: Int64
    public var puts: [Put] = []
    public var stateChanges: [StateChange] = []
    public var deletes: [Delete] = []
    public var annotations: [Annotation] = []
    /// The broker ends being the sole one. The batch writes these leases with that, and nothing else.
    public var endsSole = false
    public var leases: [JobID] = []
    /// The broker is the sole one: it has the leases of the jobs whatever their rows say.
    public var isSole = false
    /// The recall of leases that this batch answers.
    public var answer: Int64?

    public init(epoch: Int64) {
        self.epoch = epoch
    }

    public var count: Int {
        puts.count + stateChanges.count + deletes.count + annotations.count + (endsSole ? 1 : 0)
            + (answer == nil ? 0 : 1)
    }
    public var isEmpty: Bool { count == 0 }

    /// How long sending the bodies may take: a body of 1 GiB is not late after ten seconds.
    var sendingTime: Span {
        .seconds(puts.reduce(0) { $0 + $1.job.body.count } / (4 << 20))
    }

    /// Both halves of a batch of two operations or more.
    public var halves: (WriteBatch, WriteBatch) {
        var first = WriteBatch(epoch: epoch)
        var second = WriteBatch(epoch: epoch)
        first.isSole = isSole
        second.isSole = isSole
        var left = count / 2
        func split<Operation>(_ operations: [Operation]) -> ([Operation], [Operation]) {
            let cut = min(left, operations.count)
            left -= cut
            return (Array(operations[..<cut]), Array(operations[cut...]))
        }
        (first.puts, second.puts) = split(puts)
        (first.stateChanges, second.stateChanges) = split(stateChanges)
        (first.annotations, second.annotations) = split(annotations)
        (first.deletes, second.deletes) = split(deletes)
        second.answer = answer
        return (first, second)
    }

    // MARK: Counts

    /// How the batch changes the number of jobs of each tube.
    public var countChanges: [(tube: TubeID, counts: StateCounts)] {
        var sums = TubeSums()
        for put in puts { sums.add(1, put.tube, put.job.state, put.job.priority) }
        for change in stateChanges {
            sums.add(-1, change.tube, change.from, change.fromPriority)
            sums.add(1, change.tube, change.to, change.priority)
        }
        for delete in deletes { sums.add(-1, delete.tube, delete.from, delete.fromPriority) }
        return sums.all
    }

    /// What has to be added to `countChanges` when these jobs were missing.
    ///
    /// Whoever deleted a row has not changed the counts, so the job still has to be counted out. A job that is there
    /// has not been changed.
    public func correction(for missing: [MissingJob]) -> [(tube: TubeID, counts: StateCounts)] {
        let isThere = Dictionary(missing.map { ($0.id, $0.isThere) }) { first, _ in first }
        var sums = TubeSums()
        for change in stateChanges {
            guard let isThere = isThere[change.id] else { continue }
            if isThere { sums.add(1, change.tube, change.from, change.fromPriority) }
            sums.add(-1, change.tube, change.to, change.priority)
        }
        for delete in deletes where isThere[delete.id] == true {
            sums.add(1, delete.tube, delete.from, delete.fromPriority)
        }
        return sums.all
    }
}

/// Changes of the numbers of jobs, by tube.
private struct TubeSums {
    private(set) var all: [(tube: TubeID, counts: StateCounts)] = []
    private var places: [TubeID: Int] = [:]

    mutating func add(_ n: Int, _ tube: TubeID, _ state: StoredState, _ priority: UInt32) {
        // Nearly always the tube of the operation before.
        if let last = all.last, last.tube == tube {
            all[all.count - 1].counts.add(n, state, priority: priority)
        } else if let at = places[tube] {
            all[at].counts.add(n, state, priority: priority)
        } else {
            var counts = StateCounts()
            counts.add(n, state, priority: priority)
            places[tube] = all.count
            all.append((tube, counts))
        }
    }
}
