#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// The terminal of the process: raw, on its alternate screen, and as it was again at every end.
enum RawTerminal {
    nonisolated(unsafe) private static var before = termios()
    nonisolated(unsafe) private static var isRaw = false
    /// What gives the screen back: line wrap, cursor, main screen.
    private static let farewell: StaticString = "\u{1b}[0m\u{1b}[?7h\u{1b}[?25h\u{1b}[?1049l"

    /// Whether a person can look and press keys.
    static var isThere: Bool { isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1 }

    static func enter() throws {
        guard tcgetattr(STDIN_FILENO, &before) == 0 else { throw Trouble("Standard input is no terminal.") }
        var raw = before
        cfmakeraw(&raw)
        // Before the first change, so that no end finds the terminal changed and this unset.
        isRaw = true
        tcsetattr(STDIN_FILENO, TCSADRAIN, &raw)
        write("\u{1b}[?1049h\u{1b}[?25l\u{1b}[?7l\u{1b}[2J")
    }

    static func leave() {
        guard isRaw else { return }
        isRaw = false
        giveBack()
    }

    /// A crash must not leave the terminal raw: what the system prints next could not be read.
    static func leaveAtCrashes() {
        for number in [SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGSEGV, SIGFPE] {
            signal(number) { number in
                // Only what may be called in a handler of signals.
                if RawTerminal.isRaw { RawTerminal.giveBack() }
                signal(number, SIG_DFL)
                raise(number)
            }
        }
    }

    private static func giveBack() {
        _ = systemWrite(STDOUT_FILENO, farewell.utf8Start, farewell.utf8CodeUnitCount)
        tcsetattr(STDIN_FILENO, TCSADRAIN, &before)
    }

    static var size: Size? {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else { return nil }
        return Size(width: Int(size.ws_col), height: Int(size.ws_row))
    }

    static func write(_ text: String) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { systemWrite(STDOUT_FILENO, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR || errno == EAGAIN { continue }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    /// Bytes from the keyboard; empty after `milliseconds` without any, nil when the terminal has gone.
    static func read(within milliseconds: Int32) -> [UInt8]? {
        var entry = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
        let result = poll(&entry, 1, milliseconds)
        guard result > 0 else { return result == 0 || errno == EINTR ? [] : nil }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = systemRead(STDIN_FILENO, &bytes, bytes.count)
        if count < 0, errno == EINTR || errno == EAGAIN { return [] }
        return count > 0 ? Array(bytes.prefix(count)) : nil
    }
}

/// The system's calls, which the methods hide.
private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    write(descriptor, bytes, count)
}

private func systemRead(_ descriptor: Int32, _ bytes: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    read(descriptor, bytes, count)
}
