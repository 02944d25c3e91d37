/// A client on its socket. Each wake costs one read and one write.
final class Connection {
    let client: any Client
    let address: Address
    private let socket: Socket
    private let poller: Poller
    private let token: Int
    private var input = ByteQueue()
    private var output = ByteQueue()
    private var waitsForRoom = false

    /// The least room for a read, in bytes.
    private static let readSize = 16 << 10

    init(_ client: any Client, to address: Address, _ poller: Poller, token: Int) throws(LoadFailure) {
        self.client = client
        self.address = address
        self.poller = poller
        self.token = token
        socket = try Socket(to: address)
        poller.add(socket.descriptor, token)
    }

    deinit {
        poller.remove(socket.descriptor)
    }

    func prepare() throws(LoadFailure) {
        client.prepare(&output)
        try flush()
    }

    func proceed(at now: Nanoseconds) throws(LoadFailure) {
        client.proceed(at: now, &output)
        try flush()
    }

    /// Reads what has arrived, gives it to the client and sends what the client says.
    func wake() throws(LoadFailure) {
        switch socket.read(into: input.room(for: Self.readSize)) {
        case .bytes(let count): input.add(count)
        case .wouldBlock: return try flush()
        case .closed(let reason): throw LoadFailure(reason)
        }
        // One time for all replies of one read.
        let now = monotonicTime()
        while !input.isEmpty, let (reply, length) = try Reply.first(in: input.bytes) {
            try client.take(reply, at: now, &output)
            input.drop(length)
        }
        try flush()
    }

    private func flush() throws(LoadFailure) {
        guard !output.isEmpty else { return }
        switch socket.write(output.bytes) {
        case .bytes(let count): output.drop(count)
        case .wouldBlock: break
        case .closed(let reason): throw LoadFailure(reason)
        }
        guard waitsForRoom == output.isEmpty else { return }
        waitsForRoom = !output.isEmpty
        poller.watch(socket.descriptor, token, writes: waitsForRoom)
    }
}
