import Dispatch
import Foundation

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// `beanrow top` on the terminal of the process.
public final class Session {
    private enum Event: Sendable {
        case input(Input)
        /// A signal asks for the end, or the terminal has gone.
        case end(signal: Int32?)
        /// SIGTSTP, and what follows when the process goes on.
        case stop, goOn
    }

    private var top: Top
    private let source: any QueueSource
    private let ansi: Ansi
    private let stream: AsyncStream<Event>
    private let events: AsyncStream<Event>.Continuation
    /// What is on the screen; nil: not known.
    private var drawn: [Line]?
    private var isStopped = false
    private var signals: [any DispatchSourceSignal] = []

    /// The size of the terminal; nil if standard output is none.
    public static var terminalSize: Size? { RawTerminal.size }
    /// Whether a person can look and press keys.
    public static var isInteractive: Bool { RawTerminal.isThere }

    public init(_ options: Top.Options, source: any QueueSource, ansi: Ansi) {
        top = Top(options, size: RawTerminal.size ?? Size(width: 80, height: 24))
        self.source = source
        self.ansi = ansi
        (stream, events) = AsyncStream.makeStream()
    }

    /// Shows the screens until the end is asked for.
    /// - Returns: The signal that has asked for it, if one has.
    /// - Throws: `Trouble` if there is no terminal.
    public func run() async throws -> Int32? {
        RawTerminal.leaveAtCrashes()
        watchSignals()
        try RawTerminal.enter()
        defer { RawTerminal.leave() }
        readKeys()
        let clock = Task { [events] in
            let start = ContinuousClock.now
            while !Task.isCancelled {
                events.yield(.input(.time((ContinuousClock.now - start) / .seconds(1))))
                try await Task.sleep(for: .milliseconds(100))
            }
        }
        defer { clock.cancel() }
        for await event in stream {
            switch event {
            case .end(let signal): return signal
            case .stop: stop()
            case .goOn: try goOn()
            case .input(let input):
                // A terminal that has another size shows its old lines somewhere else, if at all.
                switch input {
                case .redraw, .resize: drawn = nil
                default: break
                }
                for effect in top.handle(input) {
                    if effect == .quit { return nil }
                    perform(effect)
                }
                if case .time = input {} else { draw() }
            }
        }
        return nil
    }

    private func draw() {
        guard !isStopped else { return }
        let lines = top.lines
        let bytes = ansi.difference(from: drawn, to: lines)
        if !bytes.isEmpty { RawTerminal.write(bytes) }
        drawn = lines
    }

    private func perform(_ effect: Effect) {
        let asker = Asker(source: source, events: events)
        switch effect {
        case .load(let request): Task { await asker.load(request) }
        case .run(let command): Task { await asker.run(command) }
        case .suspend: events.yield(.stop)
        case .quit: break
        }
    }

    /// Asks the source, and tells what it has answered.
    private struct Asker: Sendable {
        let source: any QueueSource
        let events: AsyncStream<Event>.Continuation

        func load(_ request: Request) async {
            let result: Result<Answer, Trouble>
            do {
                result = .success(try await source.load(request))
            } catch {
                result = .failure(trouble(error))
            }
            events.yield(.input(.answer(request, result)))
        }

        func run(_ command: Command) async {
            // How far an operation is, is asked for about twice a second.
            if case .follow = command { try? await Task.sleep(for: .milliseconds(500)) }
            let result: Result<Outcome, Trouble>
            do {
                result = .success(try await source.run(command))
            } catch {
                result = .failure(trouble(error))
            }
            events.yield(.input(.outcome(command, result)))
        }

        private func trouble(_ error: any Error) -> Trouble { error as? Trouble ?? Trouble("\(error)") }
    }

    // MARK: Keys and signals

    private func readKeys() {
        let thread = Thread { [events] in
            var decoder = KeyDecoder()
            while let bytes = RawTerminal.read(within: decoder.isWaiting ? 50 : 1000) {
                let keys = bytes.isEmpty ? decoder.pause() : decoder.take(bytes)
                for key in keys {
                    events.yield(.input(key == .control("l") ? .redraw : .key(key)))
                }
            }
            events.yield(.end(signal: SIGHUP))
        }
        thread.name = "keys"
        thread.start()
    }

    private func watchSignals() {
        let meanings: [(Int32, @Sendable (AsyncStream<Event>.Continuation) -> Void)] = [
            (SIGWINCH, { events in RawTerminal.size.map { _ = events.yield(.input(.resize($0))) } }),
            (SIGTSTP, { _ = $0.yield(.stop) }),
            (SIGCONT, { _ = $0.yield(.goOn) }),
        ]
        let ends = [SIGINT, SIGTERM, SIGHUP, SIGQUIT].map { (number: Int32) in
            (number, { @Sendable (events: AsyncStream<Event>.Continuation) in _ = events.yield(.end(signal: number)) })
        }
        let queue = DispatchQueue(label: "signals")
        for (number, act) in meanings + ends {
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler { [events] in act(events) }
            source.activate()
            signals.append(source)
        }
        // A terminal that has gone is noticed when keys are read.
        signal(SIGPIPE, SIG_IGN)
        signal(SIGTTOU, SIG_IGN)
    }

    /// Gives the terminal to the shell and stops the process, as the key does elsewhere.
    private func stop() {
        guard !isStopped else { return }
        isStopped = true
        RawTerminal.leave()
        signal(SIGTSTP, SIG_DFL)
        // Threads of Dispatch block it (_dispatch_sigmask), so this one lets it in and sends it to itself.
        var mask = sigset_t()
        sigemptyset(&mask)
        sigaddset(&mask, SIGTSTP)
        pthread_sigmask(SIG_UNBLOCK, &mask, nil)
        raise(SIGTSTP)
        pthread_sigmask(SIG_BLOCK, &mask, nil)
        // SIGCONT comes when the job goes on. Where no shell controls jobs it never comes: the kernel does not stop an
        // orphaned process group (POSIX, Signal Actions), so the screen comes back by itself.
        Task { [events] in
            try? await Task.sleep(for: .milliseconds(300))
            events.yield(.goOn)
        }
    }

    private func goOn() throws {
        guard isStopped else { return }
        isStopped = false
        signal(SIGTSTP, SIG_IGN)
        try RawTerminal.enter()
        drawn = nil
        if let size = RawTerminal.size { _ = top.handle(.resize(size)) }
        draw()
    }
}
