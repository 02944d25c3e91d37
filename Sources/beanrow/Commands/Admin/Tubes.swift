import AdminAPI
import AdminClient
import ArgumentParser
import Terminal

struct Tubes: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List tubes with their jobs by state and their rates.")

    @Argument(help: ArgumentHelp("Tubes whose names contain this text (default: all).", valueName: "text"))
    var text: String?

    @Option(
        help: ArgumentHelp(
            "The order: name, ready, reserved, delayed, buried, in, out, oldest, waiting or worst; numbers "
                + "begin with the largest, and - before an order reverses it.", valueName: "order"))
    var sort = "name"

    @Option(help: ArgumentHelp("At most so many tubes.", valueName: "count"))
    var limit = 1000

    @Option(help: ArgumentHelp("Leave out so many tubes before.", valueName: "count"))
    var offset = 0

    @OptionGroup var printer: Printer
    @OptionGroup var listener: ListenerOptions

    func run() async throws {
        try await reporting("tubes") {
            let page = try await listener.client().tubes(filter: text, sort: sort, limit: limit, offset: offset)
            try printer.show(page) { table(page) }
            if printer.isTable, page.tubes.count + offset < page.matching {
                Printer.note("\(page.matching - page.tubes.count - offset) more tubes: --offset")
            }
        }
    }

    private func table(_ page: TubePage) -> [Line] {
        var table = Table([
            .init("tube", least: 8, most: 60, cutsMiddle: true), .init("ready", isRight: true),
            .init("reserved", isRight: true),
            .init("delayed", isRight: true), .init("buried", isRight: true), .init("in/s", isRight: true),
            .init("out/s", isRight: true), .init("oldest", isRight: true), .init("waiting", isRight: true, rank: 2),
            .init("paused", isRight: true, rank: 1),
        ])
        for tube in page.tubes {
            table.add([
                Cells.clean(tube.name), Figures.grouped(tube.counts.ready), Figures.grouped(tube.counts.reserved),
                Figures.grouped(tube.counts.delayed), Figures.grouped(tube.counts.buried),
                Figures.rate(tube.inPerSecond), Figures.rate(tube.outPerSecond),
                tube.oldestReadySeconds.map { Figures.age($0) } ?? "-", Figures.grouped(tube.waiting),
                tube.pauseSecondsLeft.map { Figures.age($0) } ?? "-",
            ])
        }
        return Printer.lines(table)
    }
}
