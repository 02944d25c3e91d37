import AdminAPI

/// Actions, with what is asked before them.
extension Top {
    /// The longest text that can be written.
    private static let textLimit = 1000

    /// An action on one job or on those marked; with a filter on all that match it.
    mutating func act(_ key: Key, on ids: [Int64], filter: JobFilter?) -> [Effect] {
        guard case .character(let character) = key, let action = Self.actions[character] else { return [] }
        guard mayActAndSaysSo() else { return [] }
        let target: Act.Target
        if let filter {
            target = .filter(filter)
        } else {
            guard !ids.isEmpty else { return [] }
            target = .ids(ids)
        }
        let act = Act(action: action, target: target)
        switch action {
        case .move: dialog = .prompt(Prompt(label: "Move to the tube", purpose: .move(act)))
        case .priority: dialog = .prompt(Prompt(label: "Priority, 0 to 4294967295", purpose: .priority(act)))
        case .delay: dialog = .prompt(Prompt(label: "Delay in seconds", purpose: .delay(act)))
        case .kick, .delete, .bury: return ask(act)
        }
        return []
    }

    static let actions: [Character: JobAction] = [
        "k": .kick, "d": .delete, "b": .bury, "m": .move, "p": .priority, "t": .delay,
    ]

    /// An action on a tube: kick and clear are for its jobs.
    mutating func act(_ key: Key, onTube tube: TubeSummary) -> [Effect] {
        guard [.character("k"), .character("d"), .character("p"), .character("u")].contains(key), mayActAndSaysSo()
        else { return [] }
        switch key {
        case .character("k"):
            // As the protocol's kick: delayed jobs only if none is buried.
            let state = tube.counts.buried == 0 && tube.counts.delayed > 0 ? JobState.delayed : .buried
            return ask(Act(action: .kick, target: .filter(JobFilter(tube: tube.name, state: state.rawValue))))
        case .character("d"):
            return ask(Act(action: .delete, target: .filter(JobFilter(tube: tube.name))))
        case .character("p"):
            let label = "Pause \(Cells.clean(tube.name)) for how many seconds"
            dialog = .prompt(Prompt(label: label, text: "60", purpose: .pause(tube: tube.name)))
        default:
            let question = "End the pause of \(Cells.clean(tube.name))?"
            dialog = .confirm(question: question, .tube(tube.name, verb: "unpause", TubeActionRequest()))
        }
        return []
    }

    private mutating func mayActAndSaysSo() -> Bool {
        guard !mayAct else { return true }
        let why =
            options.isReadOnly
            ? "This is read-only (--read-only)."
            : options.hasCountsOnly
                ? "Nothing can be done through beanstalkd's protocol here; give the HTTP address of a Beanrow."
                : overview == nil ? "There has been no answer yet." : "This listener lets you look only."
        message = Message(text: why, isAlarm: true)
        return false
    }

    /// Asks y or N; for a filter once the jobs are counted.
    private mutating func ask(_ act: Act) -> [Effect] {
        switch act.target {
        case .ids(let ids):
            dialog = .confirm(question: act.question(ids.count), act.command(count: Int64(ids.count)))
            return []
        case .filter(let filter):
            dialog = .counting(act)
            return [.run(.count(filter))]
        }
    }

    /// - Returns: Whether the key moves the help.
    private mutating func scrollHelp(_ key: Key) -> Bool {
        let steps: [Key: Int] = [
            .up: -1, .down: 1, .pageUp: -helpHeight, .pageDown: helpHeight, .home: -helpTop, .end: lastHelpTop,
        ]
        guard let step = steps[key], lastHelpTop > 0 else { return false }
        helpTop = max(0, min(helpTop + step, lastHelpTop))
        return true
    }

    mutating func press(_ key: Key, in dialog: Dialog) -> [Effect] {
        switch dialog {
        case .help:
            if scrollHelp(key) { return [] }
            self.dialog = nil
            return key == .character("q") ? [.quit] : []
        case .counting:
            if key == .escape { self.dialog = nil }
            return []
        case .confirm(_, let command):
            self.dialog = nil
            guard key == .character("y") || key == .character("Y") else {
                message = Message(text: "Nothing was done.")
                return []
            }
            return [.run(command)]
        case .prompt(var prompt):
            switch key {
            case .escape: self.dialog = nil
            case .enter:
                self.dialog = nil
                return end(prompt)
            case .backspace: prompt.text = String(prompt.text.dropLast())
            case .control("u"): prompt.text = ""
            case .character(let character) where prompt.text.count < Self.textLimit: prompt.text.append(character)
            default: break
            }
            if self.dialog != nil { self.dialog = .prompt(prompt) }
            return []
        }
    }

    /// Takes the text that was written.
    private mutating func end(_ prompt: Prompt) -> [Effect] {
        switch prompt.purpose {
        case .filterTubes:
            guard case .tubes(var tubes) = screen else { return [] }
            tubes.filter = prompt.text
            tubes.cursor = Cursor()
            screen = .tubes(tubes)
            return load()
        case .searchBodies:
            guard case .jobs(var jobs) = screen else { return [] }
            jobs.change { $0.body = prompt.text.isEmpty ? nil : prompt.text }
            screen = .jobs(jobs)
            return load()
        case .move(var act):
            guard !prompt.text.isEmpty else { return refuse("A tube has a name.") }
            act.tube = prompt.text
            return ask(act)
        case .priority(var act):
            guard let priority = UInt32(prompt.text) else { return refuse("A priority is a number, 0 to 4294967295.") }
            act.priority = Int64(priority)
            return ask(act)
        case .delay(var act):
            guard let delay = UInt32(prompt.text) else { return refuse("A delay is a number of seconds.") }
            act.delaySeconds = Int64(delay)
            return ask(act)
        case .pause(let tube):
            guard let seconds = UInt32(prompt.text), seconds > 0 else {
                return refuse("A pause is a number of seconds, 1 or more.")
            }
            let length = Figures.age(Double(seconds))
            dialog = .confirm(
                question: "Pause \(Cells.clean(tube)) for \(length)?",
                .tube(tube, verb: "pause", TubeActionRequest(seconds: Int64(seconds))))
            return []
        }
    }

    private mutating func refuse(_ why: String) -> [Effect] {
        message = Message(text: why, isAlarm: true)
        return []
    }
}
