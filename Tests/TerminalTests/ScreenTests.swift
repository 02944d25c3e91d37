import AdminAPI
import Foundation
import Testing

@testable import Terminal

/// Screens as they are seen.
@Suite("Terminal: screens") struct ScreenTests {
    @Test func tubesAt60Columns() {
        #expect(
            Driver(width: 60, height: 10).screen == """
                 beanrow top  0.1.0  beanrow in jobs o… every 1 s  22:13:20
                 █ ready 1.20M ▓ reserved 12 ▒ delayed 300 × buried 7
                 3 tubes  by worst
                 tube        jobs  ready resv delay buried in/s out/s oldest
                >mail        ███▓× 1.20M   10     0      7  120  97.5  4m05s
                 thumbnails  █▓▒      50    2   300      0    0   0.5     3s
                 ‖ 日…b}[31m           0    0     0      0    0     0      -


                 enter jobs  / filter  k kick  d clear  p pause  u unpause
                """)
    }

    @Test func tubesAt80Columns() {
        #expect(
            Driver(width: 80, height: 12).screen == """
                 beanrow top  0.1.0  beanrow in jobs on db.example.org      every 1 s  22:13:20
                 █ ready 1.20M ▓ reserved 12 ▒ delayed 300 × buried 7
                 in 120/s  out 98.0/s  oldest 4m05s  clients 40, 4 waiting  2 brokers
                 3 tubes  by worst
                 tube             jobs  ready resv delay buried in/s out/s oldest waiting paused
                >mail             ███▓× 1.20M   10     0      7  120  97.5  4m05s       1      -
                 thumbnails       █▓▒      50    2   300      0    0   0.5     3s       1      -
                 日本語…u{1b}[31m           0    0     0      0    0     0      -       1    59s



                 enter jobs  / filter  k kick  d clear  p pause  u unpause  ? help  q quit
                """)
    }

    /// Without characters beyond ASCII.
    @Test func ascii() {
        let driver = Driver(width: 80, height: 12) { $0.charset = .ascii }
        let ansi = Ansi(hasColours: false, charset: .ascii)
        let lines = driver.top.lines.map { ansi.text($0.styledPlain) }
        #expect(lines[1].hasPrefix(" # ready 1.20M = reserved 12 - delayed 300 x buried 7"))
        #expect(lines.allSatisfy { $0.utf8.allSatisfy { $0 < 0x80 } })
        #expect(lines.contains { $0.contains("###=x") })
    }

    /// No screen is wider or higher than its terminal, nor has a character that acts on it.
    @Test(arguments: [60, 61, 75, 80, 100, 120, 160, 200], [8, 10, 14, 24, 50])
    func everyScreenFits(width: Int, height: Int) {
        var driver = Driver(width: width, height: height)
        func check(_ what: String) {
            let lines = driver.top.lines
            #expect(lines.count == height, "\(what)")
            for line in lines {
                #expect(line.width <= width, "\(what): \(line.text)")
                #expect(line.text == Cells.clean(line.text), "\(what): \(line.text)")
            }
        }
        check("tubes")
        for name in [String(repeating: "n", count: 200), String(repeating: "日", count: 60), ""] {
            driver.answer(.tubes(Sample.page([Sample.tube(name, Counts(ready: .max, buried: 1), in: 1e12)])))
            check("tube \(name)")
        }
        driver.press(.enter)
        driver.answer(
            .jobs(
                JobPage(
                    jobs: ["ready", "reserved", "delayed", "buried", "\u{1b}new"].enumerated().map {
                        Sample.job(
                            .max - Int64($0.offset), $0.element,
                            preview: "\u{1b}[2J\n" + String(repeating: "日", count: 90))
                    }, next: nil, searchedTo: 3), nil))
        check("jobs")
        driver.press(.enter)
        driver.answer(
            .job(
                JobDetail(
                    job: Sample.job(1, "reserved"),
                    body: JobBody(
                        encoding: "utf-8", data: String(repeating: "日本\u{7}\n\u{202e}x", count: 900), bytes: 9,
                        isTruncated: true),
                    timeline: [TimelineEvent(at: Sample.at, event: "put", text: "put\u{1b}c")], ended: nil)))
        check("job")
        driver.press(.end)
        check("the end of a job")
        driver.type("2")
        driver.answer(.holders(HolderPage(jobs: (0..<90).map { Sample.job($0, "reserved") })))
        driver.press(.end)
        check("holders")
        driver.type("?")
        check("help")
        driver.type("1/" + String(repeating: "日", count: 99))
        check("a prompt")
    }

    /// Names of one family differ at their ends, and come before the columns that matter least.
    @Test(arguments: [60, 80, 100, 200]) func longNamesDiffer(width: Int) {
        var driver = Driver(width: width, height: 10)
        driver.answer(
            .tubes(Sample.page((1...2).map { Sample.tube("orders.europe.west.regional.\($0)", Counts(ready: 9)) })))
        let rows = driver.screen.split(separator: "\n").filter { $0.contains("ord") }.map {
            $0.dropFirst().prefix { $0 != " " }
        }
        #expect(rows.count == 2 && rows[0].hasSuffix(".1") && rows[1].hasSuffix(".2"), "\(rows)")
        if width >= 200 { #expect(rows[0] == "orders.europe.west.regional.1") }
    }

    /// What needs somebody is red, and warnings are not cut off.
    @Test func alarms() {
        var driver = Driver(width: 60, height: 14)
        var late = Sample.tube("mail", Counts(ready: 3), oldest: 900)
        late.alarm = .late
        driver.answer(.tubes(Sample.page([late])), warnings: 3)
        let red = driver.top.lines.flatMap(\.pieces).filter { $0.style == .alarm }.map(\.text)
        #expect(red.contains("3 warnings (5) "))
        #expect(driver.screen.contains("3 warnings (5)"))
        #expect(driver.top.snapshot.flatMap(\.pieces).contains { $0.style == .alarm && $0.text == "15m00s" })
    }

    @Test func nothingIsThere() {
        var driver = Driver(height: 12)
        driver.answer(.tubes(Sample.page([])))
        #expect(driver.screen.contains("No tube has jobs or clients. Put one: beanrow put mail hello"))
        driver.press(.enter)
        driver.type("kd")
        #expect(driver.commands() == [])
        driver.type("3")
        driver.answer(.brokers([]))
        #expect(driver.screen.contains("No broker is registered."))
    }

    @Test func beforeTheFirstAnswer() {
        let top = Top(Top.Options(), size: Size(width: 80, height: 10))
        #expect(top.lines[1].text == " Waiting for the first answer.")
    }

    /// The last numbers stay, with their time.
    @Test func aFailure() {
        var driver = Driver()
        driver.send(.answer(driver.top.request, .failure(Trouble("No answer from there: it takes too long."))))
        #expect(driver.screen.contains(" ! No answer from there: it takes too long. As of 22:13:20."))
        #expect(driver.screen.contains(">mail"))
        driver.answer(.tubes(Sample.page()))
        #expect(!driver.screen.contains("!"))
    }

    @Test func oneJob() {
        var driver = Driver(width: 80, height: 22)
        driver.press(.enter)
        driver.answer(.jobs(JobPage(jobs: [Sample.job(2, "reserved")], next: nil, searchedTo: 2), nil))
        driver.press(.enter)
        driver.answer(
            .job(
                JobDetail(
                    job: Sample.job(2, "reserved"),
                    body: JobBody(encoding: "base64", data: "AP9oaQ==", bytes: 4, isTruncated: false),
                    timeline: [
                        TimelineEvent(at: Sample.at.addingTimeInterval(-100), event: "put", text: "put"),
                        TimelineEvent(
                            at: Sample.at.addingTimeInterval(-20), event: "reserved", text: "reserved by 10.0.0.7:5123"),
                    ], ended: nil)))
        let lines = driver.screen.split(separator: "\n", omittingEmptySubsequences: false).dropFirst(3).dropLast(3)
        #expect(
            lines.joined(separator: "\n") == """
                 Job 2  ▓ reserved  tube mail
                 priority  1024
                 ttr       60 s
                 delay     0 s
                 created   22:11:40 (1m40s ago)
                 counters  1 reserve, 0 timeouts, 0 releases, 0 buries, 0 kicks
                 holder    client 10.0.0.7:5123 of broker app1 (process 99)
                 until     22:14:00, in 40s

                 Timeline
                 22:11:40            put
                 22:13:00            reserved by 10.0.0.7:5123

                 Body  4 B
                 000000  00 ff 68 69                                      ..hi

                """)
    }

    /// Only what differs is written.
    @Test func differences() {
        let ansi = Ansi(hasColours: true, charset: .unicode)
        let old: [Line] = ["a", "b", "c"]
        #expect(ansi.difference(from: old, to: old) == "")
        #expect(ansi.difference(from: old, to: ["a", "x", "c"]) == "\u{1b}[2;1H\u{1b}[0m\u{1b}[Kx")
        #expect(ansi.difference(from: nil, to: ["a"]) == "\u{1b}[2J\u{1b}[1;1H\u{1b}[0m\u{1b}[Ka")
        #expect(ansi.text(Line("x", .state(.ready))) == "\u{1b}[32mx\u{1b}[0m")
        #expect(Ansi(hasColours: false, charset: .unicode).text(Line("x", .state(.ready))) == "x")
    }
}

extension Line {
    fileprivate var styledPlain: Line { styled(.plain) }
}
