import Foundation
import TestKit
import Testing

/// On every signal the broker either goes on, or ends together with its PostgreSQL.
@Suite struct SignalTests {
    @Test func ignoredSignalsChangeNothing() throws {
        let place = try EmbeddedPlace()
        let broker = try place.broker()
        for number in [
            SIGHUP, SIGPIPE, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGXFSZ, SIGTTOU, SIGWINCH, SIGCONT,
        ] {
            broker.signal(number)
            try broker.takesAPut()
        }
        broker.signal(SIGTSTP)
        broker.signal(SIGCONT)
        try broker.takesAPut()
        #expect(try broker.stop() == 0)
        #expect(!place.isInUse)
    }

    @Test(arguments: [([SIGQUIT], 131), ([SIGINT], 0), ([SIGTERM, SIGQUIT], 131)] as [([Int32], Int32)])
    func itEndsWithItsPostgreSQL(signals: [Int32], status: Int32) throws {
        let place = try EmbeddedPlace()
        let broker = try place.broker()
        try broker.takesAPut()
        for number in signals { broker.signal(number) }
        #expect(broker.waitForExit() == status)
        try eventually("the end of PostgreSQL") { !place.isInUse }
    }

    /// Signals at different times of a start: while the cluster is made, while it starts, and while it is migrated.
    @Test(arguments: [("TERM", 0), ("QUIT", 131), ("TERM TERM", 143)])
    func duringTheStart(signals: String, status: Int) throws {
        let beanrow = try BrokerProcess.beanrowPath()
        for stage in ["Creating a PostgreSQL", "postgresql.conf", "postgres.log", "Started PostgreSQL"] {
            let place = try EmbeddedPlace()
            let script = """
                cd \(place.path)
                \(beanrow) serve --no-http -l unix:\(place.path)/socket -b \(place.dataDirectory) 2>log & pid=$!
                until grep -q '\(stage)' log || find data -name '\(stage)' 2>/dev/null | grep -q .; do
                    kill -0 $pid || break
                    sleep 0.01
                done
                for signal in \(signals); do kill -s $signal $pid; done
                wait $pid; echo exit $?
                cat log
                """
            let printed = try runProgram("/bin/sh", ["-c", script])
            // The second signal may come when the first has already ended the broker in order.
            let statuses = signals == "TERM TERM" ? [0, status] : [status]
            #expect(statuses.contains { printed.contains("exit \($0)\n") }, "\(stage): \(printed)")
            try eventually("nothing is left of the start at \(stage)") { !place.isInUse }
        }
    }

    /// The reader of the log, the terminal, or the standard files are gone.
    @Test(arguments: ["pipe", "closed", "hangup"])
    func withoutStandardFiles(part: String) throws {
        let place = try EmbeddedPlace()
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("terminal.py")
        let printed = try runProgram(
            "/usr/bin/env",
            [
                "python3", script.path, part, place.path + "/socket", BrokerProcess.beanrowPath(), "serve", "--no-http",
                "-l", "unix:\(place.path)/socket", "-b", place.dataDirectory, "--database-timeout", "60",
            ])
        #expect(printed.hasSuffix("b'INSERTED 1\\r\\n'\nexit 0\n"), "\(printed)")
        #expect(!place.isInUse)
    }
}
