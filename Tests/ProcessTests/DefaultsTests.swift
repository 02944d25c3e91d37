import Foundation
import TestKit
import Testing

/// A broker without options listens on the local host only.
@Suite("Safe by default")
struct DefaultsTests {
    @Test func onlyThisMachineAndOnlyTheOwner() throws {
        let directory = NSTemporaryDirectory() + "beanrow-defaults-\(UUID())"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let script = """
            set -u
            umask 000
            : >"$2.log"
            "$1" -p 0 --no-http --data-dir "$2/data" 2>"$2.log" & broker=$!
            for _ in $(seq 600); do grep -q ' serving' "$2.log" && break; sleep 0.1; done
            port=$(sed -n 's/.* address=127.0.0.1:\\([0-9]*\\) .*/\\1/p' "$2.log")
            (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && echo here
            # Another address of this machine, which a broker that listens on all would answer at.
            (exec 3<>"/dev/tcp/127.0.0.2/$port") 2>/dev/null && echo elsewhere
            test -S "$2/data/socket/.s.PGSQL.5432" && echo socket
            # PostgreSQL is at work, and its files come and go.
            find "$2/data" -ignore_readdir_race ! -type l -perm /077
            kill "$broker"
            wait "$broker"
            echo "exit $?"
            rm -f "$2.log"
            """
        let printed = try runProgram(
            "/bin/bash", ["-c", script, "bash", BrokerProcess.beanrowPath(), directory], within: 180)
        #expect(printed == "here\nsocket\nexit 0\n")
    }
}
