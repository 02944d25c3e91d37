import Foundation

/// What the system does to a process that has not said otherwise.
enum Signals {
    /// Signals that ask a broker for nothing, and would end or stop it at once, with its PostgreSQL left behind.
    /// SIGHUP comes from terminals that close and from log rotations, SIGPIPE and SIGXFSZ from a log that cannot be
    /// written, SIGTTOU from a terminal that another job has.
    static func ignoreMeaningless() {
        for number in [SIGHUP, SIGPIPE, SIGXFSZ, SIGTTOU, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO] {
            signal(number, SIG_IGN)
        }
        #if os(Linux)
        signal(SIGPWR, SIG_IGN)
        #endif
    }

    /// Standard input, output and error may have been closed: the next file or socket would get their numbers, and
    /// with them the log.
    static func fillStandardFiles() {
        for number in STDIN_FILENO...STDERR_FILENO where fcntl(number, F_GETFD) < 0 {
            // The lowest free number is this one.
            _ = open("/dev/null", O_RDWR)
        }
    }
}
