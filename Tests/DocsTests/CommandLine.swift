import TestKit

/// The commands and options of `beanrow`, by its own help.
struct CommandLine: Sendable {
    /// Options that mean the same, such as `-b` and `--data-dir`.
    typealias Names = Set<String>

    /// The options of each command, such as `migrate up`. Those of `serve` are also under an empty name.
    let options: [String: [Names]]

    static let beanrow = Result { try CommandLine() }

    private init() throws {
        var options: [String: [Names]] = [:]
        var left = try Self.help(of: "").commands
        while let command = left.popLast() {
            let help = try Self.help(of: command)
            left += help.commands.map { "\(command) \($0)" }
            if help.commands.isEmpty { options[command] = help.options }
        }
        options[""] = options["serve"]
        self.options = options
    }

    private static func help(of command: String) throws -> (commands: [String], options: [Names]) {
        let words = command.split(separator: " ").map(String.init)
        let text = try runProgram(BrokerProcess.beanrowPath(), words + ["--help"])
        let parts = text.split(separator: "SUBCOMMANDS:\n", maxSplits: 1)
        let commands = parts.count < 2 ? [] : parts[1].matches(of: #/(?m)^  ([a-z]+) /#).map { String($0.1) }
        let options = parts[0].matches(of: #/(?m)^  (-\S.*?)(?:  |$)/#).map { line in
            Names(line.1.matches(of: /(?:^| )(--?[A-Za-z][a-z-]*)/).map { String($0.1) })
        }
        return (commands, options)
    }

    var commands: Set<String> { Set(options.keys).subtracting([""]) }

    /// Whether any command, or the given one, has the option.
    func knows(_ option: String, of command: String? = nil) -> Bool {
        let sets = command.map { options[$0] ?? [] } ?? options.values.flatMap { $0 }
        return sets.contains { $0.contains(option) }
    }

    /// The command, from the words behind `beanrow` in a command line.
    func command(in words: [Substring]) -> String {
        for count in [2, 1] {
            let name = words.prefix(count).joined(separator: " ")
            if options[name] != nil { return name }
        }
        return ""
    }
}
