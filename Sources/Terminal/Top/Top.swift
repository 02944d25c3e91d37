public import AdminAPI
public import Foundation

public import struct AdminAPI.Operation

/// The state of `beanrow top`. Pure: inputs go in, effects come out, and `lines` is what is seen.
public struct Top: Sendable {
    public struct Options: Sendable {
        /// Nothing can be done, whatever the server would allow.
        public var isReadOnly = false
        /// The server was asked through beanstalkd's protocol and tells counts only.
        public var hasCountsOnly = false
        public var charset = Charset.unicode
        public var timeZone = TimeZone.current
        /// As it was given.
        public var address = ""
        /// Seconds between two refreshes.
        public var interval = 1.0

        public init() {}
    }

    /// What the intervals can be, in seconds.
    static let intervals = [0.5, 1, 2, 5, 10, 30, 60]
    /// Jobs of a page, and tubes at most.
    public static let pageLimit = 500
    public static let tubeLimit = 1000

    let options: Options
    var size: Size
    /// The last one is shown. There is always one.
    var screens: [Screen] = [.tubes(TubesScreen())]
    var dialog: Dialog?
    /// The first line of the help that is shown.
    var helpTop = 0
    var overview: Overview?
    /// Why the last request had no answer.
    var failure: String?
    /// What has been done, or why not.
    var message: Message?
    /// The operation that was started here.
    var operation: Operation?
    var isPaused = false
    /// Printed once, for no keyboard.
    var isSnapshot = false
    var interval: Double
    /// The requests that are under way, so that a slow server is not asked faster than it answers.
    var loading: Request?
    var isFollowing = false
    /// When the screen is asked for again.
    var nextLoad = 0.0
    var now = 0.0

    struct Message: Hashable, Sendable {
        var text: String
        var isAlarm = false
    }

    public init(_ options: Options, size: Size) {
        self.options = options
        self.size = size
        interval = options.interval
    }

    /// The listener lets this viewer act, and so do the options.
    var mayAct: Bool { !options.isReadOnly && !options.hasCountsOnly && overview?.mayAct ?? false }

    var screen: Screen {
        get { screens[screens.count - 1] }
        set { screens[screens.count - 1] = newValue }
    }

    /// What is asked for first.
    public var firstRequest: Request { request }

    /// A job for people, as the screen of one job has it.
    public static func lines(of detail: JobDetail, _ overview: Overview, width: Int, _ charset: Charset) -> [Line] {
        var options = Options()
        options.charset = charset
        var top = Top(options, size: Size(width: max(width, Size.least.width), height: 1_000_000))
        top.overview = overview
        top.isSnapshot = true
        return top.jobBody(JobScreen(id: detail.job.id, detail: detail))
    }

    /// What the screen that is shown asks for.
    var request: Request {
        switch screen {
        case .tubes(let tubes):
            let minus = tubes.isReversed ? "-" : ""
            return .tubes(filter: tubes.filter.isEmpty ? nil : tubes.filter, sort: minus + tubes.order.rawValue)
        case .jobs(let jobs): return .jobs(jobs.filter, after: jobs.pages.last!)
        case .job(let job): return .job(job.id)
        case .holders: return .holders
        case .brokers: return .brokers
        case .clients: return .clients
        case .warnings: return .warnings
        }
    }

    /// Takes what has happened.
    /// - Returns: What to do about it.
    public mutating func handle(_ input: Input) -> [Effect] {
        switch input {
        case .key(let key):
            return press(key)
        case .resize(let size):
            self.size = size
            clamp()
            return []
        case .answer(let request, let result):
            return take(result, of: request)
        case .outcome(let command, let result):
            return take(result, of: command)
        case .time(let now):
            self.now = now
            return follow() + (isPaused || now < nextLoad || dialog == .help ? [] : load())
        case .redraw:
            return []
        }
    }

    /// Asks for the screen that is shown, unless that is under way.
    mutating func load() -> [Effect] {
        nextLoad = now + interval
        guard loading != request else { return [] }
        loading = request
        return [.load(request)]
    }

    private mutating func take(_ result: Result<Answer, Trouble>, of request: Request) -> [Effect] {
        if loading == request { loading = nil }
        switch result {
        case .failure(let trouble):
            failure = trouble.sentence
        case .success(let answer):
            failure = nil
            overview = answer.overview
            if request == self.request { take(answer.content) }
        }
        // A slow answer does not bring the next request at once.
        nextLoad = max(nextLoad, now + min(interval, 0.2))
        return []
    }

    private mutating func take(_ content: Answer.Content) {
        let height = rowsHeight
        switch (screen, content) {
        case (.tubes(var tubes), .tubes(let page)):
            tubes.take(page, height: height)
            screen = .tubes(tubes)
        case (.jobs(var jobs), .jobs(let page, let tube)):
            jobs.take(page, tube, height: height)
            screen = .jobs(jobs)
        case (.job(var job), .job(let detail)):
            job.detail = detail
            screen = .job(job)
        case (.holders(var list), .holders(let page)):
            list.take(page.jobs, height: height)
            screen = .holders(list)
        case (.brokers(var list), .brokers(let brokers)):
            list.take(brokers, height: height)
            screen = .brokers(list)
        case (.clients(var list), .clients(let page)):
            list.take(page.clients, total: page.total, height: height)
            screen = .clients(list)
        case (.warnings(var list), .warnings(let warnings)):
            list.take(warnings, height: height)
            screen = .warnings(list)
        default:
            break
        }
        clamp()
    }

    // MARK: Actions

    private mutating func take(_ result: Result<Outcome, Trouble>, of command: Command) -> [Effect] {
        switch (command, result) {
        case (_, .failure(let trouble)):
            if case .follow = command { isFollowing = false } else { dialog = nil }
            message = Message(text: trouble.sentence, isAlarm: true)
            return []
        case (.count(let filter), .success(.counted(let count))):
            // The question may have been left meanwhile.
            guard case .counting(let act) = dialog, act.target == .filter(filter) else { return [] }
            guard count.count > 0 else {
                dialog = nil
                message = Message(text: "There is no such job: \(filter.sentence).")
                return []
            }
            dialog = .confirm(
                question: act.question(Int(count.count), isPartial: count.isPartial), act.command(count: count.count))
            return []
        case (_, .success(.acted(let answer))):
            message = Message(text: Self.sentence(command, answer), isAlarm: answer.changed == 0)
            forgetMarks()
            return load()
        case (_, .success(.operation(let operation))):
            self.operation = operation
            isFollowing = false
            if operation.state != "running" {
                message = Message(text: operation.sentence, isAlarm: operation.state == "failed")
                self.operation = nil
            }
            forgetMarks()
            return load()
        default:
            return []
        }
    }

    /// Asks how far the operation is, about once a second.
    private mutating func follow() -> [Effect] {
        guard let operation, !isFollowing, now >= nextLoad else { return [] }
        isFollowing = true
        return [.run(.follow(operation: operation.id))]
    }

    private mutating func forgetMarks() {
        guard case .jobs(var jobs) = screen else { return }
        jobs.marked = []
        jobs.isAllMarked = false
        screen = .jobs(jobs)
    }

    private static func sentence(_ command: Command, _ answer: ActionAnswer) -> String {
        switch command {
        case .tube(let name, "pause", let request):
            return "\(Cells.clean(name)) is paused for \(Figures.age(Double(request.seconds ?? 0)))."
        case .tube(let name, _, _):
            return "\(Cells.clean(name)) is not paused any more."
        case .jobs(let action, _):
            return action.sentence(answer)
        default:
            return "Done: \(Figures.jobs(answer.changed))."
        }
    }
}

extension JobAction {
    /// What an action has done: `2 jobs deleted; 1 left as it is: 5 (reserved).`
    public func sentence(_ answer: ActionAnswer) -> String {
        var text = "\(Figures.jobs(answer.changed)) \(past)"
        if let skipped = answer.skipped, !skipped.isEmpty {
            let some = skipped.prefix(5).map { "\($0.id) (\(Cells.clean($0.reason)))" }.joined(separator: ", ")
            text += "; \(Figures.grouped(skipped.count)) left as \(skipped.count == 1 ? "it is" : "they are"): \(some)"
            if skipped.count > 5 { text += " and others" }
        }
        return text + "."
    }
}

extension Operation {
    /// How far it has come, or how it has ended: `Operation 3: 1,200 of 5,000 jobs deleted.`
    public var sentence: String {
        let progress = "\(Figures.grouped(Int(changed))) of \(Figures.jobs(Int(request.expectedCount)))"
        var text = "Operation \(id): \(progress) \(request.action.past)"
        if skipped > 0 { text += ", \(Figures.grouped(Int(skipped))) left as they are" }
        switch state {
        case "running", "done": break
        case "failed": text += "; it has failed: \(Cells.clean(error ?? "no reason is known"))"
        default: text += "; it is \(Cells.clean(state))"
        }
        return text.hasSuffix(".") ? text : text + "."
    }
}
