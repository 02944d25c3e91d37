import AdminAPI
import Foundation
import Synchronization

/// Threads with a session each, for work that comes in any number: it waits in line.
final class AdminPool: Sendable {
    /// Sessions at most.
    static let size = 3
    /// Pieces of work that may wait; more are refused.
    static let lineLimit = 100
    /// The seconds that work waits in line at most.
    static let patience = 5.0
    /// The seconds after which an idle session is closed, and its thread ends.
    static let idleTime = 60.0

    private struct Work: Sendable {
        let until: ContinuousClock.Instant
        /// `nil`: it has waited for too long, or the pool has stopped.
        let run: @Sendable (AdminSession?) -> Void
    }

    private struct State {
        var line: [Work] = []
        var threads = 0
        var idle = 0
        var isStopped = false
    }

    private let configuration: StoreConfiguration
    private let state = Mutex(State())
    private let bell = DispatchSemaphore(value: 0)

    init(_ configuration: StoreConfiguration) {
        self.configuration = configuration
    }

    /// Runs a blocking function on one of the threads, with its session.
    func run<Value: Sendable>(
        _ body: @escaping @Sendable (borrowing AdminSession) throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            let work = Work(until: .now + .seconds(AdminPool.patience)) { session in
                guard let session else { return continuation.resume(throwing: Problem.busy) }
                continuation.resume(with: Swift.Result { try Problem.catching(session) { try body(session) } })
            }
            let isTaken = state.withLock { state in
                guard !state.isStopped, state.line.count < AdminPool.lineLimit else { return false }
                state.line.append(work)
                if state.idle < state.line.count, state.threads < AdminPool.size {
                    state.threads += 1
                    start()
                }
                return true
            }
            if isTaken { bell.signal() } else { work.run(nil) }
        }
    }

    func stop() {
        let (threads, line) = state.withLock { state in
            state.isStopped = true
            defer { state.line = [] }
            return (state.threads, state.line)
        }
        for work in line { work.run(nil) }
        for _ in 0..<threads { bell.signal() }
    }

    private func start() {
        let thread = Thread { [self] in serve() }
        thread.name = "beanrow-admin"
        thread.start()
    }

    private func serve() {
        let session = AdminSession(configuration)
        while let work = next() { work.run(.now < work.until ? session : nil) }
    }

    /// The next work; `nil` when the thread shall end.
    private func next() -> Work? {
        while true {
            if let work = state.withLock({ state in
                state.line.isEmpty ? nil : state.line.removeFirst()
            }) {
                return work
            }
            state.withLock { $0.idle += 1 }
            let result = bell.wait(timeout: .now() + AdminPool.idleTime)
            let ends = state.withLock { state in
                state.idle -= 1
                guard state.isStopped || result == .timedOut && state.line.isEmpty else { return false }
                state.threads -= 1
                return true
            }
            if ends { return nil }
        }
    }
}

/// The session of one thread of the pool.
final class AdminSession {
    private let configuration: StoreConfiguration
    private var current: Connection?
    /// The session has been used before, so it may have been lost meanwhile.
    private(set) var isUsed = false
    /// What PostgreSQL advised with its last error.
    var hint: String? { current?.lastHint }

    init(_ configuration: StoreConfiguration) {
        self.configuration = configuration
    }

    /// Opens the session if there is none.
    func connection() throws -> Connection {
        if let current {
            isUsed = true
            return current
        }
        isUsed = false
        let connection = try Connection(configuration.database)
        // No statement takes longer than its limit of 2 s.
        connection.shouldGiveUp = { $0 >= 5 }
        var parameters = Parameters()
        parameters.add(configuration.schema)
        parameters.add(configuration.durability == .synchronous ? "on" : "off")
        _ = try connection.ask(.configureAdmin, parameters)
        // What `SampleReader` runs. Nothing else is prepared here.
        try connection.prepare(Statement.samples, checksColumns: false)
        current = connection
        return connection
    }

    func reconnected() throws -> Connection {
        close()
        return try connection()
    }

    func close() { current = nil }
}
