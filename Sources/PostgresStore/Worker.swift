import Foundation
import LogKeys
import Logging
import Synchronization

/// A thread with a connection of its own, which it makes anew when it is lost.
class Worker: @unchecked Sendable {
    // Subclasses touch their state on this thread alone; what others may touch is here, and safe.
    let bell = Bell()
    let logger: Logger
    let configuration: StoreConfiguration
    /// The server's side of the connection that was made last, if it may still be there.
    private(set) var session: ServerSession?
    /// What it is for, as the log calls it.
    let name: String
    private let connecting = Mutex(Connecting())
    private let started = Atomic(false)
    private let stopping = Atomic(false)
    private let ended = DispatchSemaphore(value: 0)

    /// How it has got on with its first connection.
    struct Connecting {
        var isDone = false
        /// Why the last try has failed.
        var error: String?
    }

    var firstConnection: Connecting { connecting.withLock { $0 } }

    var isStopping: Bool { stopping.load(ordering: .sequentiallyConsistent) }

    init(_ name: String, _ configuration: StoreConfiguration, _ logger: Logger) {
        var logger = logger
        logger[metadataKey: LogKey.task] = "\(name)"
        self.logger = logger
        self.name = name
        self.configuration = configuration
    }

    /// Starts it, unless it has been.
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

    /// Ends the thread once it has done what it is doing; one that is started from here on does nothing.
    /// - Returns: false when it has not ended in time, since it waits for a database that does not answer.
    func stop(within seconds: Double) -> Bool {
        stopping.store(true, ordering: .sequentiallyConsistent)
        bell.ring()
        guard started.load(ordering: .sequentiallyConsistent) else { return true }
        return ended.wait(timeout: .now() + seconds) == .success
    }

    /// Makes the connection, serves it until it is lost, and again.
    private func run() {
        var pause: Int32 = 0
        while !isStopping {
            awaitWork()
            do {
                let connection = try open()
                defer { session = connection.session }
                connecting.withLock { $0.isDone = true }
                if pause > 0 { logger.notice("the database is back") }
                pause = 0
                try serve(connection)
            } catch {
                if isStopping { break }
                connecting.withLock { $0.error = "\(error)" }
                failed(error)
                // It may have been the end.
                if isStopping { break }
                // Said once; more of the same is noise.
                logger.log(
                    level: pause == 0 ? .warning : .debug, "no connection to the database, trying again",
                    metadata: [LogKey.error: "\(error)"])
                // Quickly at first: a restarted server is back soon. Not so a schema, about which somebody has to think.
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

    /// Returns when a connection is needed.
    func awaitWork() {}
    func open() throws -> Connection { preconditionFailure("a worker opens its own connection") }
    /// Works until told to stop, or until no connection is needed; throws when the connection is lost.
    func serve(_ connection: Connection) throws { preconditionFailure("a worker has work") }
    func failed(_ error: any Error) {}
}
