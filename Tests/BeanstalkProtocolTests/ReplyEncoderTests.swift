import BeanstalkProtocol
import NIOCore
import QueueCore
import Testing

@testable import Simulation

/// The bytes of each reply.
@Suite struct ReplyEncoderTests {
    @Test(
        arguments: [
            (.inserted(1), "INSERTED 1\r\n"),
            (.inserted(.max), "INSERTED 18446744073709551615\r\n"),
            (.inserted(1_000_000_009), "INSERTED 1000000009\r\n"),
            (.insertedBefore(7, .reserved), "INSERTED 7 RESERVED\r\n"),
            (.using("default"), "USING default\r\n"),
            (.reserved(10, Body("hello")), "RESERVED 10 5\r\nhello\r\n"),
            (.reserved(2, []), "RESERVED 2 0\r\n\r\n"),
            (.reserved(3, Body("\r\n\0")), "RESERVED 3 3\r\n\r\n\0\r\n"),
            (.found(99, Body("x")), "FOUND 99 1\r\nx\r\n"),
            (.watching(2), "WATCHING 2\r\n"),
            (.kicked(0), "KICKED 0\r\n"),
            (.kicked(100), "KICKED 100\r\n"),
            (.kickedJob, "KICKED\r\n"),
            (.deleted, "DELETED\r\n"),
            (.released, "RELEASED\r\n"),
            (.buried, "BURIED\r\n"),
            (.touched, "TOUCHED\r\n"),
            (.paused, "PAUSED\r\n"),
            (.timedOut, "TIMED_OUT\r\n"),
            (.deadlineSoon, "DEADLINE_SOON\r\n"),
            (.notFound, "NOT_FOUND\r\n"),
            (.notIgnored, "NOT_IGNORED\r\n"),
            (.jobTooBig, "JOB_TOO_BIG\r\n"),
            (.expectedCRLF, "EXPECTED_CRLF\r\n"),
            (.draining, "DRAINING\r\n"),
            (.outOfMemory, "OUT_OF_MEMORY\r\n"),
            (.internalError, "INTERNAL_ERROR\r\n"),
            (.badFormat, "BAD_FORMAT\r\n"),
            (.unknownCommand, "UNKNOWN_COMMAND\r\n"),
            (.tubes(["default", "a", "b-c"]), "OK 24\r\n---\n- default\n- a\n- b-c\n\r\n"),
            (.tubes([]), "OK 4\r\n---\n\r\n"),
        ] as [(Reply, String)])
    func `every reply`(reply: Reply, text: String) {
        #expect(encode(reply) == text)
    }

    @Test func `a reply is appended`() {
        var buffer = ByteBuffer(string: "DELETED\r\n")
        ReplyEncoder().encode(.reserved(1, Body("a")), facts: .sample, into: &buffer)
        ReplyEncoder().encode(.timedOut, facts: .sample, into: &buffer)
        #expect(String(buffer: buffer) == "DELETED\r\nRESERVED 1 1\r\na\r\nTIMED_OUT\r\n")
    }

    @Test func `stats-job`() {
        let job = JobStats(
            id: 7, tube: "mail", state: .delayed, priority: 1024, age: 61, delay: 30, ttr: 120, timeLeft: 29,
            counters: JobCounters(reserves: 1, timeouts: 2, releases: 3, buries: 4, kicks: 5))
        let yaml = """
            ---
            id: 7
            tube: mail
            state: delayed
            pri: 1024
            age: 61
            delay: 30
            ttr: 120
            time-left: 29
            file: 0
            reserves: 1
            timeouts: 2
            releases: 3
            buries: 4
            kicks: 5

            """
        #expect(encode(.job(job)) == "OK \(yaml.utf8.count)\r\n\(yaml)\r\n")
    }

    @Test func `stats-tube`() {
        var tube = TubeStats(name: "mail")
        tube.jobs = JobCounts(urgent: 1, ready: 2, reserved: 3, delayed: 4, buried: 5)
        tube.totalJobs = 6
        tube.using = 7
        tube.watching = 8
        tube.waiting = 9
        tube.deletes = 10
        tube.pauses = 11
        tube.pause = 12
        tube.pauseTimeLeft = 13
        let yaml = """
            ---
            name: mail
            current-jobs-urgent: 1
            current-jobs-ready: 2
            current-jobs-reserved: 3
            current-jobs-delayed: 4
            current-jobs-buried: 5
            total-jobs: 6
            current-using: 7
            current-watching: 8
            current-waiting: 9
            cmd-delete: 10
            cmd-pause-tube: 11
            pause: 12
            pause-time-left: 13

            """
        #expect(encode(.tube(tube)) == "OK \(yaml.utf8.count)\r\n\(yaml)\r\n")
    }

    @Test func `stats`() {
        let yaml = Self.statsBody
        #expect(yaml.split(separator: "\n").count == 1 + 52)
        #expect(encode(.broker(.sample)) == "OK \(yaml.utf8.count)\r\n\(yaml)\r\n")
    }

    @Test func `only stats asks for the facts`() {
        var asked = 0
        func facts() -> ProcessFacts {
            asked += 1
            return .sample
        }
        var buffer = ByteBuffer()
        for reply: Reply in [.deleted, .tubes([]), .tube(TubeStats(name: "a"))] {
            ReplyEncoder().encode(reply, facts: facts(), into: &buffer)
        }
        #expect(asked == 0)
        ReplyEncoder().encode(.broker(BrokerStats()), facts: facts(), into: &buffer)
        #expect(asked == 1)
    }

    private func encode(_ reply: Reply, facts: ProcessFacts = .sample) -> String {
        var buffer = ByteBuffer()
        ReplyEncoder().encode(reply, facts: facts, into: &buffer)
        return String(buffer: buffer)
    }
}
