import AdminAPI
import AdminClient
import Foundation
import LogKeys
import Synchronization
import Terminal
import UnixSignals

import struct AdminAPI.Operation

/// Waits for the end of an operation, and shows how far it has come. Ctrl-C stops it.
struct OperationFollower {
    let client: AdminClient
    let printer: Printer

    /// - Throws: `Failure` if it has not done all, with the status of the signal that has stopped it.
    func follow(_ begun: Operation) async throws {
        let caught = Caught()
        let end = try await watching(begun.id, caught)
        try printer.show(end) { [Line(end.sentence)] }
        guard end.state != "done" else { return }
        guard end.state == "stopped" else { throw Failure(status: .failure) }
        Printer.note("What it has done stays done. It goes on with: beanrow resume \(end.id)")
        guard let signal = caught.signal.withLock({ $0 }) else { throw Failure(status: .failure) }
        throw Failure(signalStatus: 128 + signal.rawValue)
    }

    /// The first signal stops the operation. At the second one the command ends without knowing how that went.
    private func watching(_ id: Int64, _ caught: Caught) async throws -> Operation {
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
        return try await withThrowingTaskGroup(of: Operation?.self) { group in
            defer { group.cancelAll() }
            group.addTask { try await wait(id) }
            group.addTask {
                for await signal in signals {
                    if caught.isSecond(signal) { throw Failure(signalStatus: 128 + signal.rawValue) }
                    Task { _ = try? await client.stop(operation: id) }
                }
                return nil
            }
            while let end = try await group.next() {
                if let end { return end }
            }
            throw CancellationError()
        }
    }

    /// The signal that has stopped the operation.
    private final class Caught: Sendable {
        let signal = Mutex<UnixSignal?>(nil)

        func isSecond(_ another: UnixSignal) -> Bool {
            signal.withLock { signal in
                guard signal == nil else { return true }
                signal = another
                return false
            }
        }
    }

    private func wait(_ id: Int64) async throws -> Operation {
        let progress = Progress()
        defer { progress.end() }
        var pause = 50
        do {
            while true {
                let operation = try await client.operation(id)
                guard operation.state == "running" else { return operation }
                progress.show(operation.sentence)
                try await Task.sleep(for: .milliseconds(pause))
                pause = min(pause * 2, 500)
            }
        } catch let failure as ClientFailure {
            Printer.note(
                "How far operation \(id) has come is not known. If its broker has ended, it goes on with: beanrow resume \(id)"
            )
            throw failure
        }
    }
}

/// A line on the terminal that is written again and again; elsewhere nothing.
private final class Progress {
    private let isShown = isatty(STDERR_FILENO) == 1
    private var hasShown = false

    func show(_ text: String) {
        guard isShown else { return }
        hasShown = true
        StandardError.write("\r\u{1b}[K" + PlainText.line(text))
    }

    func end() {
        if hasShown { StandardError.write("\r\u{1b}[K") }
    }
}
