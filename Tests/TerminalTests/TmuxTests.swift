import Foundation
import TestKit
import Testing

/// `beanrow top` in a real terminal, against a real broker.
@Suite("Terminal: top in tmux") struct TmuxTests {
    private func top(_ arguments: String) throws -> String { "\(try BrokerProcess.beanrowPath()) top \(arguments)" }

    @Test func downToAJobAndActions() throws {
        let listener = try Listener()
        try listener.put("mail", ["{\"to\":\"ada\"}", "second"])
        try listener.put("other", ["x"])
        let tmux = try Tmux(top("--interval 0.2 \(listener.url)"), width: 100)
        try tmux.expect("mail", "other", "ready 3", "every 0.2 s")
        try tmux.find("mail")
        try tmux.press("Enter")
        try tmux.expect("Jobs  tube mail", "second", "█ready")
        try tmux.press("Enter")
        try tmux.expect("Job 1  █ ready  tube mail", "priority", #"{"to":"ada"}"#)
        // One job is buried from its own screen, and kicked from the list.
        try tmux.press("b")
        try tmux.expect("Bury job 1? y/N")
        try tmux.press("y")
        try tmux.expect("1 job buried.", "×")
        try listener.expect("current-jobs-buried", of: "mail", is: 1)
        try tmux.press("Escape")
        try tmux.expect("×buried")
        try tmux.press("Home", "k", "n")
        try tmux.expect("Nothing was done.")
        try tmux.press("k", "y")
        try tmux.expect("1 job kicked.")
        try listener.expect("current-jobs-ready", of: "mail", is: 2)
        // All of a tube: with the count.
        try tmux.press("Escape")
        try tmux.expect(">mail")
        try tmux.press("d")
        try tmux.expect("Delete 2 jobs (tube mail)? y/N")
        try tmux.press("y")
        try tmux.expect("2 of 2 jobs deleted.")
        try listener.expect("current-jobs-ready", of: "mail", is: 0)
        try listener.expect("current-jobs-ready", of: "other", is: 1)
    }

    @Test func pauseAndTheOtherScreens() throws {
        let listener = try Listener()
        try listener.put("mail", ["held"])
        let worker = try listener.broker.connect()
        try worker.send("watch mail\r\nreserve\r\n")
        try worker.expect("WATCHING 2")
        _ = try worker.expectPrefix("RESERVED")
        let tmux = try Tmux(top("--interval 0.2 \(listener.url)"), width: 120)
        try tmux.expect("reserved 1")
        try tmux.find("mail")
        try tmux.press("p")
        try tmux.expect("Pause mail for how many seconds: 60")
        try tmux.press("Enter")
        try tmux.expect("Pause mail for 1m00s? y/N")
        try tmux.press("y")
        try tmux.expect("mail is paused for 1m00s.")
        try listener.expect("pause", of: "mail", is: 60)
        try tmux.press("2")
        try tmux.expect("Jobs that somebody has", "client 127.0.0.1:")
        try tmux.press("3")
        try tmux.expect("Brokers", "alive, sole", "answers here")
        try tmux.press("4")
        try tmux.expect("of the broker that answers", "127.0.0.1:", "mail")
        try tmux.press("5")
        try tmux.expect("Warnings")
        try tmux.press("?")
        try tmux.expect("other key goes back")
    }

    @Test(arguments: [60, 80, 120, 200]) func anyWidth(width: Int) throws {
        let listener = try Listener()
        try listener.put("mail", ["a"])
        try listener.put(String(repeating: "long", count: 50), [String(repeating: "ü日", count: 50)])
        let tmux = try Tmux(top("\(listener.url)"), width: 100, height: 30)
        try tmux.expect("mail", "longlong")
        try tmux.resize(width: width, height: 12)
        try tmux.waitUntil("it fits") { screen in
            let lines = screen.split(separator: "\n", omittingEmptySubsequences: false)
            return lines.count >= 11 && lines[0].contains("every 1 s") && lines.contains { $0.contains(" enter jobs") }
                && lines.contains { $0.contains(">") || $0.contains("mail") }
        }
    }

    /// A listener that goes is said, the last numbers stay, and it goes on when the listener is back.
    @Test func theListenerGoesAndComes() throws {
        let listener = try Listener()
        try listener.put("mail", ["a"])
        let port = try #require(listener.url.firstMatch(of: /:([0-9]+)\//)?.1)
        let tmux = try Tmux(top("--interval 0.2 \(listener.url)"))
        try tmux.expect("mail")
        var configuration = listener.broker.configuration
        try listener.broker.stop()
        try tmux.expect("No answer from", "nothing listens there", "As of", "mail")
        configuration.http = "127.0.0.1:\(port)"
        let again = try BrokerProcess(configuration)
        try tmux.waitUntil("it goes on") { !$0.contains("No answer") && $0.contains("mail") }
        try again.stop()
    }

    @Test func noColour() throws {
        let listener = try Listener()
        try listener.put("mail", ["a"])
        let plain = try Tmux(top(listener.url), environment: ["NO_COLOR=1"])
        let coloured = try Tmux(top(listener.url))
        try plain.expect("mail")
        try coloured.expect("mail")
        let colour = /\u{1b}\[[0-9;]*3[0-8][;m]/
        #expect(try coloured.colours.contains(colour))
        #expect(try !plain.colours.contains(colour))
    }

    /// The shell finds its screen and its terminal as it left them.
    @Test(arguments: ["q", "C-c", "SIGTERM"]) func theTerminalIsGivenBack(end: String) throws {
        let listener = try Listener()
        let tmux = try Tmux(
            "echo before; \(top(listener.url)); echo status $?; stty -a | grep -o -e '-*icanon' -e '-*echo '")
        try tmux.expect("0/s")
        #expect(try !tmux.screen.contains("before"))
        if end == "SIGTERM" {
            let shell = try tmux.pid
            let children = try String(contentsOfFile: "/proc/\(shell)/task/\(shell)/children", encoding: .utf8)
            kill(try #require(Int32(children.split(separator: " ").first ?? "")), SIGTERM)
        } else {
            try tmux.press(end)
        }
        try tmux.expect("before", "status \(end == "SIGTERM" ? 143 : 0)")
        try tmux.waitUntil("the terminal is as before") { screen in
            let lines = screen.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
            return lines.contains("icanon") && lines.contains("echo")
        }
    }

    @Test func stoppedAndContinued() throws {
        let listener = try Listener()
        try listener.put("mail", ["a"])
        let tmux = try Tmux("PS1='prompt> ' bash --norc --noprofile -i", height: 16)
        try tmux.expect("prompt>")
        try tmux.type(top(listener.url))
        try tmux.press("Enter")
        try tmux.expect(" tubes  by worst", "mail")
        try tmux.press("C-z")
        try tmux.expect("Stopped", "prompt>")
        try tmux.type("fg")
        try tmux.press("Enter")
        try tmux.expect(" tubes  by worst", "mail")
        try tmux.press("q")
        try tmux.waitUntil("the shell is back") { $0.contains("Stopped") && !$0.contains("by worst") }
    }

    @Test func whatComesFromOutsideIsHarmless() throws {
        let listener = try Listener()
        try listener.put("mail", ["\u{1b}[2J\u{1b}]0;title\u{7}\u{202e}evil"])
        let tmux = try Tmux(top(listener.url))
        try tmux.find("mail")
        try tmux.press("Enter")
        try tmux.expect(#"\u{1b}[2J"#)
        try tmux.press("Enter")
        try tmux.expect(#"\u{202e}evil"#, "Job 1")
    }

    @Test func readOnly() throws {
        let listener = try Listener()
        try listener.put("mail", ["a"])
        let tmux = try Tmux(top("--read-only \(listener.url)"), width: 100)
        try tmux.expect("mail", "look only")
        try tmux.find("mail")
        try tmux.press("d")
        try tmux.expect("This is read-only (--read-only).")
    }

    /// The questions of the commands for scripts, and their tables.
    @Test func commandsOnATerminal() throws {
        let listener = try Listener()
        try listener.put("mail", ["a", "b"])
        let beanrow = try BrokerProcess.beanrowPath()
        let environment = ["BEANROW_HTTP=\(listener.url)"]
        let refused = try Tmux("\(beanrow) clear mail; echo status $?", environment: environment)
        try refused.expect("Delete 2 jobs of mail? y/N")
        try refused.type("n")
        try refused.press("Enter")
        try refused.expect("Nothing was done.", "status 1")
        try listener.expect("current-jobs-ready", of: "mail", is: 2)
        let done = try Tmux(
            "\(beanrow) tubes; \(beanrow) jobs --tube mail; \(beanrow) delete --tube mail; echo status $?",
            environment: environment)
        try done.expect("tube", "ready  reserved".replacing("  ", with: " "), "Delete 2 jobs (tube mail)? y/N")
        try done.type("y")
        try done.press("Enter")
        try done.expect("2 of 2 jobs deleted.", "status 0")
        try listener.expect("current-jobs-ready", of: "mail", is: 0)
    }

    @Test func tail() throws {
        let listener = try Listener()
        let tmux = try Tmux(
            "\(BrokerProcess.beanrowPath()) tail mail", environment: ["BEANROW_HTTP=\(listener.url)"])
        // It follows from its start on, which nothing shows.
        var number = 0
        try tmux.waitUntil("new jobs are shown") { screen in
            number += 1
            try listener.put("mail", ["job \(number)"])
            return screen.contains("job ") && screen.contains("ready")
        }
    }
}
