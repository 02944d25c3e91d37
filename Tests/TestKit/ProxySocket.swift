import Foundation

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// One side of a connection through a `FaultProxy`, with the bytes that are to be written to it.
final class ProxySocket {
    private let descriptor: Int32
    private var pieces: [(due: ContinuousClock.Instant, bytes: ArraySlice<UInt8>)] = []
    private(set) var isOpen = true
    /// Closed as soon as everything is written; nothing more is read.
    private var isEnding = false

    init(_ descriptor: Int32) {
        self.descriptor = descriptor
    }

    deinit {
        close()
    }

    /// Bytes to be written.
    var waiting: Int { pieces.reduce(0) { $0 + $1.bytes.count } }

    /// When the next delayed piece may be written.
    var nextDue: ContinuousClock.Instant? { pieces.first.map(\.due) }

    func interest(reads: Bool) -> pollfd? {
        guard isOpen else { return nil }
        var events: Int32 = reads && !isEnding ? Int32(POLLIN) : 0
        if let nextDue, nextDue <= .now { events |= Int32(POLLOUT) }
        return pollfd(fd: descriptor, events: Int16(events), revents: 0)
    }

    func add(_ bytes: [UInt8], delay: Double) {
        guard isOpen, !isEnding, !bytes.isEmpty else { return }
        pieces.append((.now + .seconds(delay), bytes[...]))
    }

    enum Received {
        case bytes([UInt8])
        case nothing
        case end
    }

    func receive() -> Received {
        guard isOpen, !isEnding else { return .nothing }
        var count = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, initialized in
            count = systemRead(descriptor, buffer.baseAddress!, buffer.count)
            initialized = max(0, count)
        }
        if count > 0 { return .bytes(bytes) }
        return count < 0 && (errno == EAGAIN || errno == EINTR) ? .nothing : .end
    }

    /// Writes the pieces that are due.
    func flush() {
        while isOpen, let piece = pieces.first, piece.due <= .now {
            let count = piece.bytes.withUnsafeBytes { systemSend(descriptor, $0.baseAddress!, $0.count) }
            if count < 0 {
                if errno == EAGAIN || errno == EINTR { return }
                return close()
            }
            pieces[0].bytes.removeFirst(count)
            if pieces[0].bytes.isEmpty { pieces.removeFirst() }
        }
        if isEnding, pieces.isEmpty { close() }
    }

    /// Closes it after the waiting bytes are written.
    func end() {
        isEnding = true
        flush()
    }

    func close() {
        guard isOpen else { return }
        systemClose(descriptor)
        isOpen = false
        pieces = []
    }
}
