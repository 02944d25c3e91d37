import Foundation
import TestKit

/// A terminal in tmux, of a server of its own. Keys go in, and what is on the screen comes out.
final class Tmux {
    private let socket = NSTemporaryDirectory() + "beanrow-tmux-\(getpid())-\(UUID().uuidString.prefix(8))"
    private let tmux: String

    /// Runs a command of the shell in a terminal of this size. The terminal stays when the command has ended.
    init(_ command: String, width: Int = 80, height: Int = 24, environment: [String] = []) throws {
        guard let path = ["/usr/bin/tmux", "/opt/homebrew/bin/tmux"].first(where: FileManager.default.isExecutableFile)
        else { throw WireMismatch("no tmux: install the package tmux (script/test does)") }
        tmux = path
        _ = try runProgram(
            "/usr/bin/env",
            ["LC_ALL=C.UTF-8", "TERM=xterm-256color", "SHELL=/bin/sh"] + environment + [
                tmux, "-S", socket, "-f", "/dev/null", "new-session", "-d", "-x", "\(width)", "-y", "\(height)",
                command + "; exec sleep 600",
            ])
        // The line of tmux itself takes a row.
        try run("set-option", "-g", "status", "off")
        try run("resize-window", "-x", "\(width)", "-y", "\(height)")
    }

    deinit {
        _ = try? run("kill-server")
        unlink(socket)
    }

    @discardableResult
    private func run(_ words: String...) throws -> String {
        try runProgram(tmux, ["-S", socket] + words)
    }

    /// Keys by tmux's names: `Enter`, `Escape`, `Down`, `C-c`; all else is text.
    func press(_ keys: String...) throws {
        for key in keys { try run("send-keys", key) }
    }

    func type(_ text: String) throws { try run("send-keys", "-l", text) }

    /// Puts the cursor of `beanrow top` on the only tube of this name.
    func find(_ tube: String) throws {
        try press("/")
        try expect("Tubes whose names contain")
        try type(tube)
        try press("Enter")
        try expect("1 of ", "with \"\(tube)\"", ">\(tube)")
    }

    func resize(width: Int, height: Int) throws {
        try run("resize-window", "-x", "\(width)", "-y", "\(height)")
    }

    var screen: String { get throws { try run("capture-pane", "-p") } }

    /// The screen with its colours.
    var colours: String { get throws { try run("capture-pane", "-p", "-e") } }

    /// The process that the terminal was made for.
    var pid: Int32 {
        get throws { Int32(try run("display-message", "-p", "#{pane_pid}").filter(\.isNumber)) ?? 0 }
    }

    /// Waits until the screen has all of these texts.
    func expect(_ texts: String..., fileID: String = #fileID, line: Int = #line) throws {
        try waitUntil("the screen has \(texts)", fileID: fileID, line: line) { screen in
            texts.allSatisfy { screen.contains($0) }
        }
    }

    func waitUntil(
        _ what: String, fileID: String = #fileID, line: Int = #line, _ condition: (String) throws -> Bool
    ) throws {
        var last = ""
        do {
            try eventually(what, fileID: fileID, line: line) {
                last = try screen
                return try condition(last)
            }
        } catch {
            throw WireMismatch("\(error); the screen is:\n\(last)", fileID: fileID, line: line)
        }
    }
}
