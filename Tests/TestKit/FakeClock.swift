import Foundation

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// A clock that a test sets while a program runs, by libfaketime. The monotonic clock is not changed.
public final class FakeClock: Sendable {
    private let file: String
    private let library: String

    /// A clock that shows the machine's time.
    public init() throws {
        file = TestRun.shared.path("clock")
        let folders = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib")) ?? []
        let libraries = folders.map { "/usr/lib/\($0)/faketime/libfaketime.so.1" }
        guard let library = libraries.first(where: { FileManager.default.fileExists(atPath: $0) }) else {
            throw WireMismatch("no libfaketime: install the package faketime (script/test does)")
        }
        self.library = library
        try set(seconds: 0)
    }

    /// Sets it ahead of the machine's clock by this time.
    public func set(seconds: Int) throws {
        // In one step: a program that reads it sees the old time or the new one.
        let new = file + ".new"
        try (seconds < 0 ? "\(seconds)\n" : "+\(seconds)\n").write(toFile: new, atomically: false, encoding: .utf8)
        chmod(new, 0o644)
        guard rename(new, file) == 0 else { throw WireMismatch("cannot set the clock") }
    }

    /// The environment that the program needs, as arguments of env(1).
    var environment: [String] {
        [
            "LD_PRELOAD=\(library)", "FAKETIME_TIMESTAMP_FILE=\(file)", "FAKETIME_NO_CACHE=1",
            "FAKETIME_DONT_FAKE_MONOTONIC=1", "DONT_FAKE_MONOTONIC=1",
        ]
    }
}
