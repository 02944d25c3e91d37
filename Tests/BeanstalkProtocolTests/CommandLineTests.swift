import BeanstalkProtocol
import QueueCore
import Testing

@testable import Simulation

/// Parses one line into one command, as beanstalkd does.
@Suite struct CommandLineTests {
    @Test(
        arguments: [
            ("reserve", .reserve),
            ("reserve-with-timeout 0", .reserveWithTimeout(seconds: 0)),
            ("reserve-with-timeout 30", .reserveWithTimeout(seconds: 30)),
            ("reserve-job 7", .reserveJob(7)),
            ("delete 1", .delete(1)),
            ("release 1 2 3", .release(1, priority: 2, delay: 3)),
            ("bury 1 2", .bury(1, priority: 2)),
            ("touch 9", .touch(9)),
            ("use a", .use("a")),
            ("watch a", .watch("a")),
            ("ignore a", .ignore("a")),
            ("peek 5", .peek(5)),
            ("peek-ready", .peekReady),
            ("peek-delayed", .peekDelayed),
            ("peek-buried", .peekBuried),
            ("kick 10", .kick(bound: 10)),
            ("kick-job 4", .kickJob(4)),
            ("stats", .stats),
            ("stats-job 3", .statsJob(3)),
            ("stats-tube a", .statsTube("a")),
            ("list-tubes", .listTubes),
            ("list-tube-used", .listTubeUsed),
            ("list-tubes-watched", .listTubesWatched),
            ("pause-tube a 60", .pauseTube("a", seconds: 60)),
            ("quit", .quit),
        ] as [(String, Command)])
    func `every command`(line: String, command: Command) {
        #expect(decode(line + "\r\n") == [command])
    }

    @Test(arguments: [
        "", " ", "\n", "foo", "put", "delete", "use", "kick", "peek", "bury", "touch", "release", "watch", "ignore",
        "kick-job", "PUT 0 0 1 1", "Reserve", " reserve", "pea", "peeks", "res", "stat", "list-tube", "list", "qui",
        "pause", "pause-tub", "put\t0 0 1 1",
    ])
    func `a line that starts with no command is unknown`(line: String) {
        #expect(decode(line + "\r\n") == [.unknown])
    }

    @Test(arguments: [
        // A known command with nothing after its space.
        "put ", "peek ", "reserve-with-timeout ", "reserve-job ", "delete ", "release ", "bury ", "kick ", "kick-job ",
        "touch ", "stats-job ", "stats-tube ", "use ", "watch ", "ignore ", "pause-tube ", "pause-tube",
        // The name of a command without arguments, and something after it.
        "reserved", "reserve ", "reserve-with-timeout", "reserve-job", "statsx", "stats ", "stats-tube", "stats-job",
        "list-tubesx", "list-tubes ", "list-tube-used ", "list-tubes-watchedx", "peek-ready ", "peek-delayedx",
        "peek-buried 1",
        // Too few numbers, or too many.
        "put 0 0 1", "release 1 2", "release 1 2 3 4", "bury 1", "bury 1 2 3",
        "delete 1 2", "pause-tube a", "pause-tube a 1 2",
    ])
    func `a known command wrongly written is malformed`(line: String) {
        #expect(decode(line + "\r\n") == [.malformed])
    }

    @Test(
        arguments: [
            ("delete 0", .delete(0)),
            ("delete    12", .delete(12)),
            ("delete 000000000000000000000000000000000012", .delete(12)),
            ("delete 18446744073709551615", .delete(.max)),
            ("delete 18446744073709551616", .malformed),
            ("delete 99999999999999999999", .malformed),
            ("delete 1 ", .malformed),
            ("delete 1x", .malformed),
            ("delete x1", .malformed),
            ("delete 0x1", .malformed),
            ("delete +1", .malformed),
            ("delete -1", .malformed),
            ("delete \t1", .malformed),
            ("delete 1\r", .malformed),
            ("delete 1\n", .malformed),
            ("bury 1 4294967295", .bury(1, priority: .max)),
            ("bury 1 4294967296", .malformed),
            ("bury 1 99999999999999999999", .malformed),
            ("release  1  2  3", .release(1, priority: 2, delay: 3)),
            ("release 1 2 4294967296", .malformed),
            ("release 1 -2 3", .malformed),
            ("release 1\t2 3", .malformed),
            ("put 4294967296 0 1 1", .malformed),
            ("put 0 4294967296 1 1", .malformed),
            ("put 0 0 4294967296 1", .malformed),
            ("put 0 0 1 4294967296", .malformed),
            ("put 0 0 1 10b", .malformedPut),
            ("put 0 -1 1 1", .malformed),
        ] as [(String, Command)])
    func `numbers are spaces and digits`(line: String, command: Command) {
        #expect(decode(line + "\r\n") == [command])
    }

    @Test(
        arguments: [
            ("reserve-with-timeout 2147483647", .reserveWithTimeout(seconds: 2_147_483_647)),
            ("reserve-with-timeout 2147483648", .malformed),
            ("reserve-with-timeout 4294967296", .malformed),
            ("reserve-with-timeout  1 2 x", .reserveWithTimeout(seconds: 1)),
            ("reserve-with-timeout 1s", .reserveWithTimeout(seconds: 1)),
            ("reserve-with-timeout 1.5", .reserveWithTimeout(seconds: 1)),
            ("reserve-with-timeout 0x10", .reserveWithTimeout(seconds: 0)),
            ("reserve-with-timeout +5", .reserveWithTimeout(seconds: 5)),
            ("reserve-with-timeout \t\n\u{B}\u{C}\r 5", .reserveWithTimeout(seconds: 5)),
            ("reserve-with-timeout -0", .reserveWithTimeout(seconds: 0)),
            ("reserve-with-timeout -1", .reserveWithTimeout(seconds: nil)),
            ("reserve-with-timeout  -1 and so on", .reserveWithTimeout(seconds: nil)),
            ("reserve-with-timeout -2147483649", .reserveWithTimeout(seconds: nil)),
            ("reserve-with-timeout -9223372036854775808", .reserveWithTimeout(seconds: nil)),
            ("reserve-with-timeout -9223372036854775809", .malformed),
            ("reserve-with-timeout 18446744073709551615", .malformed),
            ("reserve-with-timeout 18446744073709551616", .malformed),
            ("reserve-with-timeout -18446744073709551616", .malformed),
            ("reserve-with-timeout x", .malformed),
            ("reserve-with-timeout -", .malformed),
            ("reserve-with-timeout +", .malformed),
            ("reserve-with-timeout - 1", .malformed),
            ("reserve-with-timeout --1", .malformed),
            ("reserve-with-timeout +-1", .malformed),
            ("reserve-with-timeout 1\0", .malformed),
        ] as [(String, Command)])
    func `reserve-with-timeout reads its number as C does, and a negative one is none`(line: String, command: Command) {
        #expect(decode(line + "\r\n") == [command])
    }

    @Test(
        arguments: [
            ("kick 0", .kick(bound: 0)),
            ("kick 10x", .kick(bound: 10)),
            ("kick 10 20", .kick(bound: 10)),
            ("kick +3", .kick(bound: 3)),
            ("kick \t\n\u{B}\u{C}\r 3", .kick(bound: 3)),
            ("kick -1", .kick(bound: .max)),
            ("kick -18446744073709551615", .kick(bound: 1)),
            ("kick 4294967295", .kick(bound: .max)),
            ("kick 4294967296", .kick(bound: 0)),
            ("kick 4294967299", .kick(bound: 3)),
            ("kick 18446744073709551615", .kick(bound: .max)),
            ("kick 18446744073709551616", .malformed),
            ("kick -18446744073709551616", .malformed),
            ("kick x", .malformed),
            ("kick +", .malformed),
            ("kick -", .malformed),
            ("kick +-1", .malformed),
            ("kick - 1", .malformed),
        ] as [(String, Command)])
    func `kick reads its number as C does`(line: String, command: Command) {
        #expect(decode(line + "\r\n") == [command])
    }

    @Test(
        arguments: [
            ("pause-tubedefault 0", .pauseTube("default", seconds: 0)),
            ("pause-tube   default   7", .pauseTube("default", seconds: 7)),
            ("pause-tube default 4294967295", .pauseTube("default", seconds: .max)),
            ("pause-tube default 4294967296", .malformed),
            ("pause-tube default 1 ", .malformed),
            ("pause-tube default 1x", .malformed),
            ("pause-tube default x", .malformed),
            ("pause-tube a-b 1", .pauseTube("a-b", seconds: 1)),
            ("pause-tube -a 1", .malformedPauseTube),
            ("pause-tube-a 1", .malformedPauseTube),
            ("pause-tube a*b 1", .malformed),
            ("pause-tube a*1", .malformed),
            ("pause-tube 5", .malformed),
        ] as [(String, Command)])
    func `pause-tube needs no space before the name`(line: String, command: Command) {
        #expect(decode(line + "\r\n") == [command])
    }

    @Test(arguments: [
        "A", "z0", "9", "a-b", "+/;.$_()", "+", "(", String(repeating: "n", count: 200),
    ])
    func `tube names`(name: String) {
        let tube = TubeName(unchecked: name)
        #expect(
            decode("use \(name)\r\nwatch \(name)\r\nignore \(name)\r\nstats-tube \(name)\r\npause-tube \(name) 1\r\n")
                == [.use(tube), .watch(tube), .ignore(tube), .statsTube(tube), .pauseTube(tube, seconds: 1)])
    }

    @Test(arguments: [
        "-a", " a", "a ", "a b", "a*", "a:b", "a\t", "é", "a\r", "a\n", String(repeating: "n", count: 201),
    ])
    func `tube names that break a rule`(name: String) {
        #expect(
            decode("use \(name)\r\nwatch \(name)\r\nignore \(name)\r\nstats-tube \(name)\r\n")
                == [.malformed, .malformed, .malformed, .malformed])
    }

    @Test func `the longest command fits`() {
        let name = String(repeating: "n", count: 200)
        #expect(
            decode("pause-tube \(name) 4294967295\r\n") == [.pauseTube(TubeName(unchecked: name), seconds: .max)])
        #expect(decode("pause-tube \(name)n 1\r\n") == [.malformedPauseTube])
    }

    @Test func `what starts with quit quits`() {
        #expect(decode("quitting\r\n") == [.quit])
        #expect(decode("quit now\r\n") == [.quit])
    }
}
