import Foundation
import Testing

@testable import EmbeddedPostgres

/// A cancelled start leaves nothing behind, however far it has come.
@Suite struct StartControlTests {
    /// The command lines of all processes that name the directory.
    private func processes(of path: String) throws -> [String] {
        #if os(Linux)
        entries(of: "/proc").filter { Int32($0) != nil }.map { readFile("/proc/\($0)/cmdline") }.filter {
            $0.contains(path)
        }
        #else
        try Command(as: .current, ["pgrep", "-f", path]).run().output.split(separator: "\n").map(String.init)
        #endif
    }

    /// Starts on another thread, and calls `use` with the control when `condition` holds.
    private func start(
        _ path: String, when condition: @escaping () throws -> Bool, _ use: (StartControl) -> Void
    ) throws -> (any Error)? {
        let control = StartControl()
        let postgres = embedded(path)
        let ended = DispatchSemaphore(value: 0)
        nonisolated(unsafe) var error: (any Error)?
        Thread.detachNewThread {
            do { try postgres.start(control: control).stop() } catch let thrown { error = thrown }
            ended.signal()
        }
        try wait(for: "that point of the start", until: condition)
        use(control)
        #expect(ended.wait(timeout: .now() + 60) == .success, "the start goes on")
        return error
    }

    @Test(arguments: [true, false])
    func whileTheClusterIsMade(inOrder: Bool) throws {
        try withDataDirectory { path in
            let error = try start(path, when: { entries(of: path).contains { $0.hasPrefix("cluster.new-") } }) {
                inOrder ? $0.cancel() : $0.abort()
            }
            #expect(error as? EmbeddedPostgresError == .cancelled)
            try wait(for: "the end of its programs") { try processes(of: path).isEmpty }
            #expect(fileStatus(path + "/cluster") == nil)
            try embedded(path).start().stop()
        }
    }

    @Test(arguments: [true, false])
    func whileTheServerStarts(inOrder: Bool) throws {
        try withCluster { path in
            let log = path + "/postgres.log"
            let size = fileStatus(log)?.st_size
            let error = try start(path, when: { fileStatus(log)?.st_size != size }) {
                inOrder ? $0.cancel() : $0.abort()
            }
            // The start may have been complete already.
            #expect(error == nil || error as? EmbeddedPostgresError == .cancelled)
            try wait(for: "the end of its programs") { try processes(of: path).isEmpty }
            try embedded(path).start().stop()
        }
    }

    @Test func beforeItBegins() throws {
        try withDataDirectory { path in
            let control = StartControl()
            control.cancel()
            #expect(throws: EmbeddedPostgresError.cancelled) { try embedded(path).start(control: control) }
            #expect(fileStatus(path) == nil)
        }
    }
}
