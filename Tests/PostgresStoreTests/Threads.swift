import Foundation
import Synchronization
import TestKit

/// Runs `body` on several threads at once and waits for them all.
func onThreads(_ count: Int, within seconds: Double = patience, _ body: @escaping @Sendable (Int) -> Void) throws {
    let group = DispatchGroup()
    for number in 0..<count {
        group.enter()
        Thread.detachNewThread {
            body(number)
            group.leave()
        }
    }
    guard group.wait(timeout: .now() + seconds) == .success else { throw WireMismatch("threads did not end") }
}

/// A thread that repeats something until it is told to end.
final class Repeating: Sendable {
    private let isEnding = Atomic(false)
    private let ended = DispatchSemaphore(value: 0)

    init(_ body: @escaping @Sendable () -> Void) {
        Thread.detachNewThread { [self] in
            while !isEnding.load(ordering: .acquiring) { body() }
            ended.signal()
        }
    }

    func end() {
        isEnding.store(true, ordering: .releasing)
        ended.wait()
    }
}

/// A value that only one thread uses at a time.
struct Shared<Value>: @unchecked Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
}

/// A call that runs beside the test, on its own thread.
final class Background<Value: Sendable>: Sendable {
    private let outcome = Mutex<Swift.Result<Value, any Error>?>(nil)

    init<Argument>(_ argument: Argument, _ body: @escaping @Sendable (Argument) throws -> Value) {
        let argument = Shared(argument)
        Thread.detachNewThread { [self] in
            let result = Swift.Result { try body(argument.value) }
            outcome.withLock { $0 = result }
        }
    }

    var hasEnded: Bool { outcome.withLock { $0 != nil } }

    /// Waits for the end of the call and returns its result.
    func value(fileID: String = #fileID, line: Int = #line) throws -> Value {
        try eventually("the call beside the test ends", fileID: fileID, line: line) { hasEnded }
        return try outcome.withLock { $0! }.get()
    }
}
