import Foundation

/// What a test saw on the wire, or around it, when it expected something else.
public struct WireMismatch: Error, CustomStringConvertible {
    public let description: String

    public init(_ description: String, fileID: String = #fileID, line: Int = #line) {
        self.description = "\(fileID):\(line): \(description)"
    }
}

/// Seconds that a test waits for what must come, unless the time is what it claims.
///
/// Long, because a machine that runs many tests at once, or hangs for a while, is slow and not wrong.
public let patience: Double = 60

/// Polls until `condition` holds, and throws once `seconds` have passed without it.
///
/// A round counts half a second at most: a machine that hangs meanwhile takes one round from the test, not all.
///
/// For what the protocol gives no reply to wait for, such as a signal having arrived.
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

/// A point in time to wait for, in the unit that poll(2) takes.
struct Deadline {
    private let instant: ContinuousClock.Instant

    init(after seconds: Double) {
        instant = .now + .milliseconds(Int64(seconds * 1000))
    }

    /// Rounded up, so that it is zero only once the time has come.
    var millisecondsLeft: Int32 {
        let left = instant - .now
        guard left > .zero else { return 0 }
        return Int32(clamping: Int64(left / .milliseconds(1)) + 1)
    }
}
