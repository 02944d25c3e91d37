import Foundation
import LogKeys
import Logging
import Synchronization

/// A thread with a connection of its own, which it replaces when it is lost.
class Worker: @unchecked Sendable {
    // Subclasses use their state on this thread alone. Other threads use only what is here and safe.
    let bell = Bell()
    let logger: Logger
    let configuration: StoreConfiguration
    /// The server's side of the last connection, if it may still exist.
    private(set) var session: ServerSession?
    /// The task's name in the log.
    let name: String
    private let connecting = Mutex(Connecting())
    private let started = Atomic(false)
    private let stopping = Atomic(false)
    private let ended = DispatchSemaphore(value: 0)

    /// What others may know of the connection.
    struct Connecting {
        /// There has been one.
        var isDone = false
        /// There is one.
        var isConnected = false
        /// Why the last attempt failed, or the last connection was lost.
        var error: String?
        /// How many connections were made in the place of lost ones.
        var reconnects: UInt64 = 0
    }

    var connectionState: Connecting { connecting.withLock { $0 } }

    var isStopping: Bool { stopping.load(ordering: .sequentiallyConsistent) }

    init(_ name: String, _ configuration: StoreConfiguration, _ logger: Logger) {
        var logger = logger
        logger[metadataKey: LogKey.task] = "\(name)"
        self.logger = logger
        self.name = name
        self.configuration = configuration
    }

    /// Starts the thread, once.
    func start() {
        guard !started.exchange(true, ordering: .sequentiallyConsistent) else { return }
        let thread = Thread { [self] in
            run()
            ended.signal()
        }
        thread.name = "beanrow-store"
        thread.stackSize = 1 << 20
        thread.start()
    }

    /// Ends the thread after its current work. A worker that is started later does nothing.
    /// - Returns: False if it has not ended within `seconds`, since the database does not answer.
    func stop(within seconds: Double) -> Bool {
        stopping.store(true, ordering: .sequentiallyConsistent)
        bell.ring()
        guard started.load(ordering: .sequentiallyConsistent) else { return true }
        return ended.wait(timeout: .now() + seconds) == .success
    }

    /// Connects and serves until the connection is lost, again and again.
    private func run() {
        var pause: Int32 = 0
        while !isStopping {
            awaitWork()
            do {
                let connection = try open()
                defer { session = connection.session }
                connecting.withLock {
                    if $0.isDone, $0.error != nil { $0.reconnects += 1 }
                    $0.isDone = true
                    $0.isConnected = true
                    $0.error = nil
                }
                defer { connecting.withLock { $0.isConnected = false } }
                if pause > 0 { logger.notice("the database is back") }
                pause = 0
                try serve(connection)
            } catch {
                if isStopping { break }
                connecting.withLock { $0.error = "\(error)" }
                failed(error)
                // `failed` may have stopped this worker.
                if isStopping { break }
                // A warning once; repetitions are noise.
                logger.log(
                    level: pause == 0 ? .warning : .debug, "no connection to the database, trying again",
                    metadata: [LogKey.error: "\(error)"])
                // Quickly at first: a restarted server is back soon. A missing schema needs an operator.
                pause = isWithoutSchema(error) ? Worker.longPause : min(max(pause * 2, 50), 1000)
                _ = bell.wait(milliseconds: pause)
            }
        }
    }

    /// Milliseconds.
    private static let longPause: Int32 = 5000

    private func isWithoutSchema(_ error: any Error) -> Bool {
        if case .schemaGone? = error as? StoreError { true } else { false }
    }

    /// Waits until a connection is needed.
    func awaitWork() {}
    func open() throws -> Connection { preconditionFailure("a subclass opens the connection") }
    /// Works until told to stop or until no connection is needed. Throws when the connection is lost.
    func serve(_ connection: Connection) throws { preconditionFailure("a subclass has the work") }
    func failed(_ error: any Error) {}
}
