import TestKit
import Testing

// The transcripts of beanstalkd's own server tests (testserv.c), under their upstream names. They are in
// Upstream{Parsing,Put,Queue,Reserve,Stats,Restart}Tests.swift. These have no counterpart here:
//
// | Case                    | Why not                                                                                |
// |-------------------------|----------------------------------------------------------------------------------------|
// | binlog_size_limit       | Checks the size of the log's files; there is no log.                                   |
// | binlog_allocation       | Checks that tiny log files are reserved ahead; there is no log.                        |
// | binlog_disk_full        | Makes the log's fallocate fail; DatabaseAwayTests has what a full store stands for.    |
// | binlog_disk_full_delete | The same.                                                                              |
// | binlog_v5               | Reads a log that beanstalkd 1.4.6 wrote; a matter of importing, not of the wire.       |

extension Trait where Self == ConditionTrait {
    /// The test is about something that beanstalkd does not do, or does differently.
    static var beanrowOnly: Self {
        .enabled(if: Server.current == .beanrow, "beanstalkd differs here")
    }
}

/// Runs a part of a test in which one connection holds a job too long and another one waits for it.
///
/// beanstalkd sometimes forgets a connection whose reservation runs out while the connection is silent: its tick comes
/// in the same microsecond as the deadline, which is not over then, and it plans no other tick.
func withExpiryOfASilentHolder(_ body: () throws -> Void) throws {
    try withKnownIssue("beanstalkd loses an expiry now and then", isIntermittent: true) {
        try body()
    } when: {
        Server.current == .beanstalkd
    }
}
