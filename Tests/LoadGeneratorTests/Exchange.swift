@testable import LoadGenerator

/// A client without a server: the test gives it replies and reads its commands.
struct Exchange {
    let state: RunState
    let client: any Client
    private var input: [UInt8] = []
    private var said: [UInt8] = []

    init(_ state: RunState, _ client: any Client) {
        self.state = state
        self.client = client
        var commands = ByteQueue()
        client.prepare(&commands)
        said += commands.bytes
    }

    /// Lets the client send the commands that are due.
    mutating func proceed(at now: Nanoseconds) {
        var commands = ByteQueue()
        client.proceed(at: now, &commands)
        said += commands.bytes
    }

    /// Gives the client bytes of the server, in pieces of any size, as a connection does.
    mutating func receive(_ bytes: some Sequence<UInt8>, at now: Nanoseconds = 0) throws(LoadFailure) {
        input += bytes
        while !input.isEmpty, try takeFirst(at: now) {}
    }

    mutating func receive(_ text: String, at now: Nanoseconds = 0) throws(LoadFailure) {
        try receive(Array(text.utf8), at: now)
    }

    /// The commands of the client since the last call.
    mutating func heard() -> String {
        defer { said = [] }
        return String(decoding: said, as: UTF8.self)
    }

    private mutating func takeFirst(at now: Nanoseconds) throws(LoadFailure) -> Bool {
        let held = input
        let pointer = UnsafeMutableRawBufferPointer.allocate(byteCount: held.count, alignment: 1)
        defer { pointer.deallocate() }
        pointer.copyBytes(from: held)
        guard let (reply, length) = try Reply.first(in: UnsafeRawBufferPointer(pointer)) else { return false }
        var commands = ByteQueue()
        try client.take(reply, at: now, &commands)
        said += commands.bytes
        input.removeFirst(length)
        return true
    }
}

/// The state of a run of `jobs` jobs that began at time 0.
func begunState(jobs: Int = 10, _ change: (inout Load) -> Void = { _ in }) -> RunState {
    var load = Load()
    load.jobs = jobs
    load.body = 60
    change(&load)
    let state = RunState(load, tube: "t", run: 0xabc)
    state.begin(at: 0)
    return state
}

/// The body of a job of this run.
func body(_ sequence: Int, at time: Nanoseconds = 0, of state: RunState) -> String {
    var bytes = ByteQueue()
    state.body.append(sequence, at: time, to: &bytes)
    return String(decoding: bytes.bytes, as: UTF8.self)
}
