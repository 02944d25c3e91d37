import Foundation
import Synchronization

/// A thread that sleeps again and again and sees by how much it sleeps too long: what the machine does to everybody.
public final class Stall: Sendable {
    /// By how much the thread has slept too long.
    public struct Lateness: Sendable {
        /// The longest time.
        public var longest = Duration.zero
        /// All times together.
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

    /// Ends the thread, for which it waits: after a hang it may be the last one to go on.
    ///
    /// To be called once.
    public func end() -> Lateness {
        isEnding.store(true, ordering: .releasing)
        ended.wait()
        return lateness.withLock { $0 }
    }
}
