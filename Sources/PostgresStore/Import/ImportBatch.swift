import Binlog
import QueueCore

/// Jobs to insert, column by column.
struct ImportBatch {
    /// A batch is sent when it reaches one of these limits.
    static let rowLimit = 5000
    static let byteLimit = 8 << 20
    /// The bytes of a body: with the rest of its statement it has to stay below 1 GiB.
    static let largestBody = 1 << 30 - 4096

    private(set) var ids: [Int64] = []
    private var tubes: [Int32] = []
    private var priorities: [Int64] = []
    private var states: [Int16] = []
    private var ttrs: [Int64] = []
    private var delays: [Int64] = []
    private var created: [Int64] = []
    private var due: [Int64] = []
    private var buryOrders: [Int64] = []
    private var counters: [[Int32]] = Array(repeating: [], count: 5)
    private var bodies: [[UInt8]] = []
    private var bytes = 0

    var isFull: Bool { ids.count >= ImportBatch.rowLimit || bytes >= ImportBatch.byteLimit }

    /// `buryOffset`: added to the bury orders of the folder.
    mutating func add(_ job: BinlogJob, tube: TubeID, buryOffset: Int64, body: [UInt8]) {
        ids.append(Int64(job.id))
        tubes.append(tube)
        priorities.append(Int64(job.priority))
        states.append(job.state.stored.rawValue)
        ttrs.append(Int64(job.ttr))
        delays.append(Int64(job.delay))
        created.append(job.createdAt / 1000)
        due.append(job.dueAt / 1000)
        buryOrders.append(job.buryOrder == 0 ? 0 : buryOffset + Int64(job.buryOrder))
        let counts = [job.reserves, job.timeouts, job.releases, job.buries, job.kicks]
        for (index, count) in counts.enumerated() { counters[index].append(Int32(clamping: count)) }
        bodies.append(body)
        bytes += body.count
    }

    var parameters: Parameters {
        var parameters = Parameters()
        parameters.add(int8s: ids)
        parameters.add(int4s: tubes)
        parameters.add(int8s: priorities)
        parameters.add(int2s: states)
        for column in [ttrs, delays, created, due, buryOrders] { parameters.add(int8s: column) }
        for column in counters { parameters.add(int4s: column) }
        parameters.add(bytes: bodies)
        return parameters
    }
}

extension BinlogJob.State {
    var stored: StoredState {
        switch self {
        case .ready: .ready
        case .delayed: .delayed
        case .buried: .buried
        }
    }
}
