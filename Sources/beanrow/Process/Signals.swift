#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// Defaults of the system that a broker must change.
enum Signals {
    /// Ignores signals that request nothing of a broker but would by default end or stop it, and leave its PostgreSQL
    /// behind. SIGHUP comes from terminals that close and from log rotation, SIGPIPE and SIGXFSZ from a log that cannot
    /// be written, SIGTTOU from a terminal that another job has.
    static func ignoreMeaningless() {
        for number in [SIGHUP, SIGPIPE, SIGXFSZ, SIGTTOU, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO] {
            signal(number, SIG_IGN)
        }
        #if os(Linux)
        signal(SIGPWR, SIG_IGN)
        #endif
    }

    /// Opens standard input, output and error if they are closed. Otherwise the next file or socket would get one of
    /// their numbers, and the log would be written into it.
    static func openStandardFiles() {
        for number in STDIN_FILENO...STDERR_FILENO where fcntl(number, F_GETFD) < 0 {
            // It gets the lowest free number, which is this one.
            _ = open("/dev/null", O_RDWR)
        }
    }
}
