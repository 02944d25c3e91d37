import BeanstalkProtocol
import NIOCore
import QueueCore
import Testing

@testable import Simulation

/// Names in statistics: bare for clients that read line by line, quoted where a parser of YAML 1.1 would misread them.
@Suite struct YAMLScalarTests {
    @Test(arguments: [
        "default", "mail", "a", "x1", "1a", "7up", "v1.2", "a-1", "/queue/mail", "a.b;c", "$name", "_", "__", "(a)",
        "+",
        "+a", "a+", ";", "/", ")", "1-2", "1/2", "1;2", "1+2", "(1)", "$1", "0x", "0xfg", "0b2", "0o8", "1e", "1e+",
        "e3", "1e3x", "yes-no", "yess", "nothing", "nulls", ".info", ".n", "+.infx", "inf", "nan", "2026-11",
        "2026-11-",
        "2026-11-27-a", "26-11-27", "2026-11-27T", "0123456789abcdef",
    ])
    func `a name that is a text everywhere stands bare`(name: String) throws {
        try expect(name, printedAs: name)
    }

    @Test(arguments: [
        // null, bool
        "null", "Null", "NULL", "y", "Y", "n", "N", "yes", "Yes", "YES", "no", "No", "NO", "true", "True", "TRUE",
        "false", "False", "FALSE", "on", "On", "ON", "off", "Off", "OFF", "tRuE",
        // int
        "0", "7", "42", "007", "08", "1_000", "1__", "0_", "+1", "+1_0", "+_1", "0x10", "0xFF_FF", "+0x1", "0X1f",
        "0b101", "0B1", "0o17", "0O7", "18446744073709551616",
        // float
        "1.5", "1.", ".5", "+.5", "1.5e3", "1e3", "1E3", "1e+3", "12e5", "1_0.5", "6.8523015e+5", ".e+1", "._", ".1_",
        ".inf",
        ".Inf", ".INF", "+.inf", ".nan", ".NaN", ".NAN", "1.2.3", "10.0.0.1", ".", "..", "...", "+.",
        // timestamp
        "2026-11-27", "2026-1-2", "0000-00-00",
    ])
    func `a name that some reader takes for something else is quoted`(name: String) throws {
        try expect(name, printedAs: "\"\(name)\"")
    }

    @Test(arguments: [
        ("box-1.example.org", "box-1.example.org"), ("", #""""#), ("~", #""~""#), ("=", #""=""#), ("<<", #""<<""#),
        ("#1 SMP Debian 6.1", ##""#1 SMP Debian 6.1""##), ("a #b", ##""a #b""##), ("a#b", "a#b"),
        ("Darwin Kernel Version 25.0.0: Mon", #""Darwin Kernel Version 25.0.0: Mon""#), ("10:30", #""10:30""#),
        ("a:b", "a:b"), ("a:", #""a:""#), (" a", #"" a""#), ("a ", #""a ""#), ("-a", #""-a""#), ("*a", #""*a""#),
        (#"a"b\c"#, #"a"b\c"#), (#""a"b\c"#, #""\"a\"b\\c""#), ("a\tb\n\u{7F}", #""a\x09b\x0A\x7F""#), ("é", "é"),
        ("2026-11-27 10:30:00", #""2026-11-27 10:30:00""#), ("1,000", #""1,000""#),
    ])
    func `what a machine is called`(name: String, printed: String) {
        var facts = ProcessFacts.sample
        (facts.hostname, facts.os, facts.platform, facts.id) = (name, name, name, name)
        let text = encode(.broker(.sample), facts: facts)
        for key in ["id", "hostname", "os", "platform"] {
            #expect(text.contains("\n\(key): \(printed)\n"))
        }
        let parts = text.split(separator: "\r\n", omittingEmptySubsequences: false)
        #expect(parts.count == 3)
        #expect(parts[0] == "OK \(parts[1].utf8.count)")
    }

    /// Neither beanstalkd 1.12 nor 1.13 quotes these names, and nearly all clients take all text after the hyphen.
    @Test func `names in lists are bare`() {
        #expect(encode(.tubes(["1.5", "true", "mail"])) == "OK 24\r\n---\n- 1.5\n- true\n- mail\n\r\n")
    }

    private func expect(_ name: String, printedAs printed: String) throws {
        let tube = try #require(TubeName(name))
        #expect(encode(.tube(TubeStats(name: tube))).contains("\nname: \(printed)\n"))
        let job = JobStats(
            id: 7, tube: tube, state: .ready, priority: 1, age: 0, delay: 0, ttr: 1, timeLeft: 0,
            counters: JobCounters())
        #expect(encode(.job(job)).contains("\ntube: \(printed)\n"))
    }

    private func encode(_ reply: Reply, facts: ProcessFacts = .sample) -> String {
        var buffer = ByteBuffer()
        ReplyEncoder().encode(reply, facts: facts, into: &buffer)
        return String(buffer: buffer)
    }
}
