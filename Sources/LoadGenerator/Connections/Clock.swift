#if canImport(Darwin)
import Darwin
#else
// Needed for the type of times, which the compiler counts among this module's declarations.
import CLinux
import Glibc
#endif

/// Nanoseconds of the monotonic clock.
typealias Nanoseconds = UInt64

/// The current time of the monotonic clock.
func monotonicTime() -> Nanoseconds {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Nanoseconds(time.tv_sec) * 1_000_000_000 + Nanoseconds(time.tv_nsec)
}
