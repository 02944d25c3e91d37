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

/// Something that one thread after the other uses.
struct Shared<Value>: @unchecked Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
}

/// Something that goes on beside the test, on a thread of its own, with what it is given.
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

    /// What came of it, once it has ended.
    func value(fileID: String = #fileID, line: Int = #line) throws -> Value {
        try eventually("what goes on beside the test ends", fileID: fileID, line: line) { hasEnded }
        return try outcome.withLock { $0! }.get()
    }
}
