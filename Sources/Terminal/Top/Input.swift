public import AdminAPI

/// The size of a terminal in cells.
public struct Size: Hashable, Sendable {
    public var width: Int
    public var height: Int

    public init(width: Int, height: Int) {
        self.width = width
        self.height = height
    }

    /// The least that a screen is laid out for; on a smaller terminal its right or lower part is missing.
    static let least = Size(width: 60, height: 8)
}

/// What is pressed.
public enum Key: Hashable, Sendable {
    case character(Character)
    case control(Character)
    case enter, escape, backspace, tab
    case up, down, left, right, pageUp, pageDown, home, end
}

/// What happens to `Top`.
public enum Input: Sendable {
    case key(Key)
    case resize(Size)
    /// The answer to `Effect.load`, or why there is none, as a sentence.
    case answer(Request, Result<Answer, Trouble>)
    /// The answer to `Effect.run`.
    case outcome(Command, Result<Outcome, Trouble>)
    /// The time, in seconds from any beginning; several times a second.
    case time(Double)
    /// The terminal has been used by something else: all is drawn again.
    case redraw
}

/// Why there is no answer, as a sentence.
public struct Trouble: Error, Hashable, Sendable {
    public var sentence: String

    public init(_ sentence: String) { self.sentence = sentence }
}

/// What `Top` wants.
public enum Effect: Hashable, Sendable {
    case load(Request)
    case run(Command)
    case quit
    /// Ctrl-Z: give the terminal back until the process goes on.
    case suspend
}

/// What a screen shows, beside the overview.
public enum Request: Hashable, Sendable {
    case tubes(filter: String?, sort: String)
    case jobs(JobFilter, after: String?)
    case job(Int64)
    case holders, brokers, clients, warnings
}

/// The answer to a request.
public struct Answer: Sendable {
    public enum Content: Sendable {
        case tubes(TubePage)
        /// With the tube, if the filter names exactly one.
        case jobs(JobPage, TubeDetail?)
        case job(JobDetail)
        case holders(HolderPage)
        case brokers([BrokerEntry])
        case clients(ClientPage)
        case warnings([WarningEntry])
    }

    public var overview: Overview
    public var content: Content

    public init(overview: Overview, content: Content) {
        self.overview = overview
        self.content = content
    }
}

/// Something to do.
public enum Command: Hashable, Sendable {
    case count(JobFilter)
    case jobs(JobAction, JobActionRequest)
    /// `pause` or `unpause`.
    case tube(String, verb: String, TubeActionRequest)
    case start(OperationRequest)
    case follow(operation: Int64)
    case stop(operation: Int64)
}

/// What has been done.
public enum Outcome: Hashable, Sendable {
    case counted(JobCount)
    case acted(ActionAnswer)
    case operation(Operation)
}
