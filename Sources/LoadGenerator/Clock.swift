#if canImport(Darwin)
import Darwin
#else
// The compiler counts the types of times among this module's.
import CLinux
import Glibc
#endif

/// Nanoseconds of a clock that only goes forward.
typealias Nanoseconds = UInt64

/// The time now.
func monotonicTime() -> Nanoseconds {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Nanoseconds(time.tv_sec) * 1_000_000_000 + Nanoseconds(time.tv_nsec)
}
