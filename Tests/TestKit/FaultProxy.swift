import Foundation
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// A proxy between clients and a server. A test sets its faults while connections are open.
///
/// A connection that has lost bytes, or that was open while both directions were lost, stays silent until `reset()`:
/// a stream never has a hole. Its sockets stay open on both sides, whatever the other side does, so that each side sees
/// a half-open connection.
public final class FaultProxy: Sendable {
    /// What happens to the bytes.
    public struct Faults: Sendable, Equatable {
        /// Bytes for the server disappear.
        public var losesRequests: Bool
        /// Bytes for the client disappear.
        public var losesAnswers: Bool
        /// New connections are closed at once.
        public var refuses: Bool
        /// Seconds by which each piece of the stream is delayed.
        public var delay: Double

        /// Without arguments: no faults, everything is passed on.
        public init(losesRequests: Bool = false, losesAnswers: Bool = false, refuses: Bool = false, delay: Double = 0) {
            self.losesRequests = losesRequests
            self.losesAnswers = losesAnswers
            self.refuses = refuses
            self.delay = delay
        }

        /// Both directions are lost, for new connections, too.
        public static let silence = Faults(losesRequests: true, losesAnswers: true)

        /// No new connections.
        public static let refusal = Faults(refuses: true)
    }

    /// The protocol of the connections, which decides where they can be cut.
    public enum Content: Sendable {
        case bytes
        /// PostgreSQL's protocol, not encrypted: `cutNext` works.
        case postgres
    }

    /// The address that clients connect to.
    public let address: ServerAddress
    private let control: ProxyControl
    private let ended = DispatchSemaphore(value: 0)

    /// Starts to accept connections.
    ///
    /// - Parameters:
    ///   - address: Where to listen, port 0 for any.
    ///   - server: Where each connection leads.
    ///   - content: The protocol of the connections.
    /// - Throws: `WireMismatch` when it cannot listen there.
    public init(
        at address: ServerAddress = .tcp(port: 0), to server: ServerAddress, content: Content = .bytes
    ) throws {
        let listener = try address.listen()
        self.address = listener.address
        control = try ProxyControl()
        let thread = Thread { [control, ended] in
            ProxyLoop(listener: listener.descriptor, server: server, content: content, control: control).run()
            ended.signal()
        }
        thread.name = "fault-proxy"
        thread.start()
    }

    deinit {
        end()
    }

    /// Sets the faults of all connections, open and new, from now on.
    public var faults: Faults {
        get { control.read { $0.faults } }
        set { control.change { $0.faults = newValue } }
    }

    /// Closes all connections on both sides.
    public func reset() {
        control.change { $0.resets += 1 }
    }

    /// Cuts the next connection that reaches this place. Several cuts are made in their order.
    public func cutNext(_ cut: Cut) {
        control.change { $0.cuts.append(cut) }
    }

    /// How many cuts were made.
    public var cutsStruck: Int { control.read { $0.cutsStruck } }

    /// Forgets the cuts that were not made yet.
    public func cancelCuts() {
        control.change { $0.cuts = [] }
    }

    /// Closes all connections and stops listening. A second call does nothing.
    public func end() {
        var isFirst = false
        control.change { state in
            isFirst = !state.isEnding
            state.isEnding = true
        }
        if isFirst { ended.wait() }
    }
}

/// What the proxy's thread is told, and what it tells.
final class ProxyControl: Sendable {
    struct State: Sendable {
        var faults = FaultProxy.Faults()
        var cuts: [Cut] = []
        var cutsStruck = 0
        var resets = 0
        var isEnding = false
        /// How often something was changed, and up to which the proxy's thread has heard of it.
        var changes = 0
        var heard = 0
    }

    /// Readable when something has changed.
    let bell: Int32
    private let bellRope: Int32
    private let state = Mutex(State())

    init() throws {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw WireMismatch("no pipe: \(String(cString: strerror(errno)))") }
        (bell, bellRope) = (ends[0], ends[1])
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, fcntl(end, F_GETFL) | O_NONBLOCK)
        }
    }

    deinit {
        systemClose(bell)
        systemClose(bellRope)
    }

    func read<Value: Sendable>(_ body: (State) -> Value) -> Value {
        state.withLock { body($0) }
    }

    /// For the tests' threads. Returns when the proxy's has heard of it.
    func change(_ body: (inout State) -> Void) {
        state.withLock { state in
            body(&state)
            state.changes += 1
        }
        // A full pipe rings already.
        _ = write(bellRope, "!", 1)
        while !read({ $0.heard >= $0.changes || $0.isEnding }) { pause(milliseconds: 1) }
    }

    /// For the proxy's own thread.
    func hear() -> State {
        var rings = [UInt8](repeating: 0, count: 64)
        while systemRead(bell, &rings, rings.count) > 0 {}
        return state.withLock { state in
            state.heard = state.changes
            return state
        }
    }

    /// The first cut that is meant for a connection which sends a batch of these statements.
    func takeCut(of statements: Set<String>) -> Cut? {
        state.withLock { state in
            guard let index = state.cuts.firstIndex(where: { $0.strikes(statements) }) else { return nil }
            state.cutsStruck += 1
            return state.cuts.remove(at: index)
        }
    }
}
