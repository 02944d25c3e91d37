import Foundation

/// A difference between what a test expected and what it saw, on the wire or elsewhere.
public struct WireMismatch: Error, CustomStringConvertible {
    public let description: String

    public init(_ description: String, fileID: String = #fileID, line: Int = #line) {
        self.description = "\(fileID):\(line): \(description)"
    }
}

/// Seconds that a test waits for something that must happen, unless the time is what it tests.
///
/// It is long because a machine that runs many tests at once, or hangs for a while, is slow and not wrong.
public let patience: Double = 60

/// Polls until `condition` holds, and throws once `seconds` have passed without it.
///
/// A round counts as half a second at most: a machine that hangs costs the test one round, not all of its time.
///
/// Use it where no reply can be waited for, for example until a signal has arrived.
public func eventually(
    _ what: String,
    within seconds: Double = patience,
    fileID: String = #fileID,
    line: Int = #line,
    _ condition: () throws -> Bool
) throws {
    var left = Duration.seconds(seconds)
    var start = ContinuousClock.now
    while try !condition() {
        guard left > .zero else {
            throw WireMismatch("not within \(seconds) s: \(what)", fileID: fileID, line: line)
        }
        pause(milliseconds: 10)
        let end = ContinuousClock.now
        left -= min(end - start, .milliseconds(500))
        start = end
    }
}

/// Blocks the thread for the interval between two polls.
func pause(milliseconds: Int) {
    Thread.sleep(forTimeInterval: Double(milliseconds) / 1000)
}

/// A point in time to wait for, in milliseconds as poll(2) takes them.
struct Deadline {
    private let instant: ContinuousClock.Instant

    init(after seconds: Double) {
        instant = .now + .milliseconds(Int64(seconds * 1000))
    }

    /// Rounded up, so that it is zero only after the deadline.
    var millisecondsLeft: Int32 {
        let left = instant - .now
        guard left > .zero else { return 0 }
        return Int32(clamping: Int64(left / .milliseconds(1)) + 1)
    }
}
