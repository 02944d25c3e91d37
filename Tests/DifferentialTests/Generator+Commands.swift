import TestKit

/// Well-formed commands.
extension Generator {
    private enum Word {
        case put, poll, wait, reserveJob, delete, release, bury, touch, kick, kickJob, peek, peekFirst
        case statsJob, statsTube, stats, use, watch, ignore, list, pause, quit
    }

    mutating func command() -> Message {
        switch random.weighted([
            (200, Word.put), (130, .poll), (60, .wait), (50, .reserveJob), (70, .delete), (70, .release), (60, .bury),
            (30, .touch), (40, .kick), (40, .kickJob), (30, .peek), (60, .peekFirst), (80, .statsJob), (50, .statsTube),
            (30, .stats), (50, .use), (50, .watch), (40, .ignore), (50, .list), (30, .pause), (4, .quit),
        ]) {
        case .put: put()
        case .poll: Message("reserve-with-timeout 0\r\n")
        case .wait: wait()
        case .reserveJob: Message("reserve-job", job: job())
        case .delete: Message("delete", job: job())
        case .release: release()
        case .bury: Message("bury", job: job(), " \(priority())")
        case .touch: Message("touch", job: job())
        case .kick: Message("kick \(random.pick([0, 1, 1, 2, 3, 100]))\r\n")
        case .kickJob: Message("kick-job", job: job())
        case .peek: Message("peek", job: job())
        case .peekFirst: Message("\(random.pick(["peek-ready", "peek-delayed", "peek-buried"]))\r\n")
        case .statsJob: Message("stats-job", job: job())
        case .statsTube: Message("stats-tube \(tube())\r\n")
        case .stats: Message("stats\r\n")
        case .use: Message("use \(tube())\r\n")
        case .watch: watch()
        case .ignore: Message("ignore \(tube())\r\n")
        case .list: Message("\(random.pick(["list-tubes", "list-tube-used", "list-tubes-watched"]))\r\n")
        case .pause: Message("pause-tube \(tube()) \(seconds())\r\n")
        case .quit: Message("quit\r\n")
        }
    }

    private mutating func release() -> Message {
        let delay = seconds()
        var message = Message("release", job: job(), " \(priority()) \(delay)")
        message.delays = (1...3).contains(delay)
        return message
    }

    mutating func put() -> Message {
        let delay = seconds()
        let size = random.percent(90) ? random.below(20) : random.pick([0, Pair.maxJobSize, Pair.maxJobSize + 1, 1000])
        let line = "put \(priority()) \(delay) \(timeToRun()) \(size)\r\n"
        // A body may hold anything, the end of a line and a command too.
        let body = (0..<size).map { _ in
            random.pick([UInt8(ascii: "x"), 0x0D, 0x0A, 0, 0xFF, UInt8(ascii: "s"), UInt8(ascii: " ")])
        }
        var message = Message([.bytes(Array(line.utf8) + body + [0x0D, 0x0A])])
        message.put = newTag()
        message.delays = (1...3).contains(delay)
        return message
    }

    private mutating func wait() -> Message {
        var message = Message(
            random.percent(40) ? "reserve\r\n" : "reserve-with-timeout \(random.pick([1, 1, 2, 3, 100, -1]))\r\n")
        message.blocks = true
        return message
    }

    private mutating func watch() -> Message {
        let tube = tube()
        var message = Message("watch \(tube)\r\n")
        message.watches = tube
        return message
    }

    private mutating func priority() -> UInt32 {
        random.pick([0, 1, 1, 2, 1023, 1024, .max])
    }

    private mutating func seconds() -> UInt32 {
        random.weighted([(14, 0), (3, 1), (2, 2), (1, 3), (1, 100), (1, .max)])
    }

    private mutating func timeToRun() -> UInt32 {
        random.weighted([(1, 0), (3, 1), (3, 2), (2, 3), (10, 100), (1, .max)])
    }
}
