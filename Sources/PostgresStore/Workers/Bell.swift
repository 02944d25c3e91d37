import Foundation
import Synchronization

#if os(Linux)
import CLinux
#endif

/// Wakes a thread that waits for work and for a socket at the same time. Ringing is cheap while the thread is awake.
final class Bell: Sendable {
    private let reading: Int32
    private let writing: Int32
    private let isRung = Atomic(false)

    init() {
        var ends: [Int32] = [0, 0]
        precondition(pipe(&ends) == 0, "no file descriptors left for a pipe")
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        reading = ends[0]
        writing = ends[1]
    }

    deinit {
        close(reading)
        close(writing)
    }

    func ring() {
        if !isRung.exchange(true, ordering: .acquiringAndReleasing) {
            var byte: UInt8 = 1
            _ = write(writing, &byte, 1)
        }
    }

    /// Returns when the bell has been rung, the socket is readable, or the time is up.
    /// - Returns: True if the socket is readable.
    func wait(socket: Int32 = -1, milliseconds: Int32 = -1) -> Bool {
        wait(socket: socket, nanoseconds: milliseconds < 0 ? nil : Int64(milliseconds) * 1_000_000)
    }

    func wait(socket: Int32 = -1, nanoseconds: Int64?) -> Bool {
        var descriptors = [
            pollfd(fd: reading, events: Int16(POLLIN), revents: 0),
            pollfd(fd: socket, events: Int16(POLLIN), revents: 0),
        ]
        if let nanoseconds {
            var time = timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
            _ = ppoll(&descriptors, 2, &time, nil)
        } else {
            _ = poll(&descriptors, 2, -1)
        }
        if descriptors[0].revents != 0 {
            var buffer: (UInt64, UInt64) = (0, 0)
            _ = read(reading, &buffer, 16)
            // From here on a ring writes again. The caller looks for work after this, so none is missed.
            isRung.store(false, ordering: .sequentiallyConsistent)
        }
        return descriptors[1].revents != 0
    }
}
