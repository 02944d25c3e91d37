import AdminAPI
import AdminClient
import ArgumentParser
import LogKeys
import Terminal

struct Pause: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Pause a tube: its jobs are given to nobody for a while.")

    @Argument(help: "The tube.") var tube: String
    @Argument(help: ArgumentHelp("For how long: 90, 90s, 5m, 2h or 3d.", valueName: "time")) var time: String
    @OptionGroup var printer: Printer
    @OptionGroup var listener: ListenerOptions

    private var seconds: Int64 {
        get throws { Int64(min(try JobFilterOptions.seconds(time, "pause").rounded(), 4_294_967_295)) }
    }

    func validate() throws {
        guard try seconds > 0 else { throw ValidationError("A pause takes a second or more; see `beanrow unpause`.") }
    }

    func run() async throws {
        try await reporting("pause") {
            let seconds = try seconds
            let answer = try await listener.client().act("pause", onTube: tube, TubeActionRequest(seconds: seconds))
            try printer.show(answer) {
                [Line("\(Cells.clean(tube)) is paused for \(Figures.age(Double(seconds))).")]
            }
        }
    }
}

struct Unpause: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "End the pause of a tube.")

    @Argument(help: "The tube.") var tube: String
    @OptionGroup var printer: Printer
    @OptionGroup var listener: ListenerOptions

    func run() async throws {
        try await reporting("unpause") {
            let answer = try await listener.client().act("unpause", onTube: tube, TubeActionRequest())
            try printer.show(answer) { [Line("\(Cells.clean(tube)) is not paused.")] }
        }
    }
}

struct Clear: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Delete all jobs of a tube, but those that somebody has.")

    @Argument(help: "The tube.") var tube: String
    @Option(help: ArgumentHelp("Only jobs in this state: ready, delayed or buried.", valueName: "state"))
    var state: String?
    @OptionGroup var confirmation: Confirmation
    @OptionGroup var printer: Printer
    @OptionGroup var listener: ListenerOptions

    func validate() throws {
        guard ["ready", "delayed", "buried"].contains(state ?? "ready") else {
            throw ValidationError("--state takes ready, delayed or buried.")
        }
    }

    func run() async throws {
        try await reporting("clear") {
            let client = try listener.client()
            let counts = try await client.tube(tube).tube.counts
            let count =
                switch state {
                case "ready": counts.ready
                case "delayed": counts.delayed
                case "buried": counts.buried
                default: counts.ready + counts.delayed + counts.buried
                }
            let name = Cells.clean(tube)
            try confirmation.ask("Delete \(Figures.jobs(count)) of \(name)?", "clear")
            // A large tube is cleared in several steps.
            var answer = ActionAnswer(changed: 0)
            while answer.changed < count {
                let step = try await client.act("clear", onTube: tube, TubeActionRequest(upTo: 10_000, state: state))
                answer.changed += step.changed
                if step.changed == 0 { break }
            }
            let all = answer
            try printer.show(all) { [Line("\(Figures.jobs(all.changed)) of \(name) deleted.")] }
        }
    }
}
