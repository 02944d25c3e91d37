/// An intended difference between Beanrow and beanstalkd 1.12. docs/compatibility.md lists the same.
struct IntendedDifference: Sendable {
    let what: String
    /// A history that gets different replies. Random histories avoid it.
    ///
    /// Nil if the difference cannot be reproduced at will, or if the comparison leaves it out.
    var example: History?

    /// The keys of `stats` whose values depend on the process or the machine. Only their presence is compared.
    static func isUncomparable(_ key: String) -> Bool {
        key.hasPrefix("binlog-") || uncomparable.contains(key)
    }

    /// A key that only Beanrow has.
    static let ownKey = "beanrow-version"

    private static let uncomparable: Set = [
        "pid", "version", "rusage-utime", "rusage-stime", "uptime", "id", "hostname", "os", "platform",
    ]

    private static let put: Message = "put 0 0 100 1\r\nx\r\n"

    static let all: [IntendedDifference] = [
        // First: its example uses the id of the first job.
        IntendedDifference(
            what: "beanstalkd shows a job whose body has not arrived.",
            example: History(steps: [
                .open(0), .open(1), .begin(0, Message("put 0 0 100 20\r\n01234567890123456789\r\n"), thousandths: 800),
                .send(1, ["peek 1\r\n"], cuts: []),
            ])),
        IntendedDifference(
            what: "beanstalkd does not answer a line of 225 bytes, or 449 and so on, before the next one.",
            example: History(steps: [
                .open(0), .send(0, [Message(String(repeating: "n", count: 223) + "\r\n")], cuts: []),
            ])),
        IntendedDifference(
            what: "beanstalkd does not see the end of a line that has a lone \\r before it.",
            example: History(steps: [.open(0), .send(0, ["use a\rb\r\n"], cuts: [])])),
        IntendedDifference(
            what: "beanstalkd 1.12 takes what is no number for a timeout; 1.13 and Beanrow answer BAD_FORMAT.",
            example: History(steps: [.open(0), .send(0, ["reserve-with-timeout x\r\n"], cuts: [])])),
        IntendedDifference(
            what: "beanstalkd 1.12 takes the last 32 bits of a timeout; 1.13 and Beanrow answer BAD_FORMAT.",
            example: History(steps: [.open(0), .send(0, ["reserve-with-timeout 4294967296\r\n"], cuts: [])])),
        IntendedDifference(
            what: "beanstalkd gives a job to one of those who wait for it, Beanrow to the one who has waited longest.",
            example: History(
                steps: (0...5).map { .open($0) } + [.send(5, ["use w\r\n"], cuts: [])]
                    // The first job moves the index that decides whose turn it is.
                    + [.send(0, ["watch w\r\n", "reserve\r\n"], cuts: []), .send(5, [put], cuts: [])]
                    + (0..<5).map { .send($0, ["watch w\r\n", "reserve\r\n"], cuts: []) }
                    + (0..<5).map { _ in .send(5, [put], cuts: []) })),
        IntendedDifference(
            what:
                "Jobs that one packet of puts, one kick, one disconnect or one moment makes ready come one by one; "
                + "a client that waits gets the first. In Beanrow some may come together or a commit later."),
        IntendedDifference(
            what: "beanstalkd takes the id of a job when it reads the line of the put, Beanrow when it has the body.",
            example: History(steps: [
                .open(0), .open(1), .begin(0, "put 0 0 100 20\r\n01234567890123456789\r\n", thousandths: 800),
                .send(1, [put], cuts: []), .finish(0),
                .send(1, ["reserve-with-timeout 0\r\n"], cuts: []),
            ])),
        IntendedDifference(
            what: "What a client has sent behind a waiting reserve before it disconnected is done as far as beanstalkd "
                + "had read it; Beanrow does all of it.",
            example: History(steps: [
                .open(0), .open(1), .send(0, ["reserve\r\n"], cuts: []), .send(0, ["watch a\r\n"], cuts: []),
                .send(0, ["delete 999999999\r\n"], cuts: []), .close(0), .send(1, ["stats\r\n"], cuts: []),
            ])),
        IntendedDifference(
            what: "beanstalkd 1.12 often forgets a reservation that runs out while its client is silent."),
        IntendedDifference(
            what:
                "beanstalkd 1.12 prints names in `stats` bodies without quotes, 1.13 with them, and Beanrow with them "
                + "where YAML would misread the name.",
            example: History(steps: [.open(0), .send(0, ["use 1.5\r\n", "stats-tube 1.5\r\n"], cuts: [])])),
        IntendedDifference(what: "Beanrow tells its own version behind the last key of `stats`."),
        IntendedDifference(what: "In Beanrow a connection may be counted a moment after it was made."),
        IntendedDifference(what: "Job ids are compared by the puts that made them."),
        IntendedDifference(what: "The values of `stats` that belong to the process or the machine are not compared."),
    ]
}
