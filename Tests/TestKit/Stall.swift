import Foundation
import Synchronization

/// A thread that sleeps in short intervals and measures by how much it wakes up late: the delay that every thread on
/// this machine meets.
public final class Stall: Sendable {
    /// By how much the thread has woken up late.
    public struct Lateness: Sendable {
        /// The longest delay.
        public var longest = Duration.zero
        /// The sum of all delays.
        public var total = Duration.zero
    }

    private let isEnding = Atomic(false)
    private let lateness = Mutex(Lateness())
    private let ended = DispatchSemaphore(value: 0)

    /// Starts the thread.
    public init() {
        Thread.detachNewThread { [self] in
            while !isEnding.load(ordering: .acquiring) {
                let start = ContinuousClock.now
                Thread.sleep(forTimeInterval: 0.005)
                let late = ContinuousClock.now - start - .milliseconds(5)
                lateness.withLock { lateness in
                    lateness.longest = max(lateness.longest, late)
                    lateness.total += late
                }
            }
            ended.signal()
        }
    }

    /// Ends the thread and waits for its end: after a hang it may be the last one to run.
    ///
    /// Call it once.
    public func end() -> Lateness {
        isEnding.store(true, ordering: .releasing)
        ended.wait()
        return lateness.withLock { $0 }
    }
}
