import TestKit
import Testing

/// Commands, options and variables in pages and messages exist.
@Suite("Docs: the command line") struct CommandLineTests {
    private let beanrow: CommandLine

    init() throws {
        beanrow = try CommandLine.beanrow.get()
    }

    /// The tables of flags have the flags of the help of `serve`, and no others.
    @Test func flagsOfTheREADME() {
        let rows = Page.named("README.md").rows.filter { $0.header.first == "Flag" }
        let named = rows.flatMap { row in row.code(0).map { (row.place, String($0.prefix { $0 != " " })) } }
        #expect(named.count > 20)
        for (place, flag) in named where !beanrow.knows(flag, of: "serve") {
            fail(place, "`beanrow serve` has no \(flag)")
        }
        for names in beanrow.options["serve"]! where names.isDisjoint(with: named.map(\.1)) {
            fail("README.md", "the tables lack \(names.sorted().joined(separator: " or "))")
        }
    }

    /// docs/terminal.md has the options of each command on it, and no others.
    @Test func optionsOfTheTerminalPage() {
        let page = Page.named("docs/terminal.md")
        let filter = Set(
            page.rows.filter { $0.header.first == "Filter" }.flatMap { row in
                row.code(0).map { String($0.prefix { $0 != " " }) }
            })
        let everywhere: Set = ["--http", "--token-file", "--ca-file", "--json", "-h", "--help", "--version"]
        let rows = page.rows.filter { $0.header.first == "Command" }
        #expect(rows.count > 10)
        for row in rows {
            let command = String(row.code(0)[0].split(separator: " ")[1])
            var said = Set(row.code(1)).union(everywhere)
            if row.cells[1].contains("those of a filter") { said.formUnion(filter) }
            for names in beanrow.options[command] ?? [] where names.isDisjoint(with: said) {
                fail(row.place, "it lacks \(names.sorted().joined(separator: " or "))")
            }
            for option in said.subtracting(["-h", "--help", "--version"])
            where !beanrow.knows(option, of: command) {
                fail(row.place, "`beanrow \(command)` has no \(option)")
            }
        }
    }

    @Test func flagsInText() {
        for page in Page.all {
            for span in page.spans {
                let words = span.text.split(separator: " ")
                if span.text.hasPrefix("-") {
                    check(words[0], span.place, of: nil)
                } else if words[0] == "beanrow" {
                    for word in words where word.hasPrefix("-") { check(word, span.place, of: command(words)) }
                }
            }
            for line in page.commands {
                // A pipe or a redirection, and what is said about it, are no arguments.
                let words = line.text.prefix { !"#>|".contains($0) }.split(separator: " ")
                guard let program = words.first else { continue }
                for word in words where word.hasPrefix("-") {
                    if program == "beanrow" || program == "script/run" {
                        check(word, line.place, of: command(words))
                    } else if program.hasPrefix("script/") {
                        checkOption(word, of: program, line.place)
                    }
                }
            }
        }
    }

    private func command(_ words: [Substring]) -> String { beanrow.command(in: Array(words.dropFirst())) }

    private func check(_ word: Substring, _ place: String, of command: String?) {
        let option = word.prefix { $0 != "=" }
        if option.hasPrefix("--") || option.count == 2 {
            if !beanrow.knows(String(option), of: command) {
                let program = ["beanrow", command ?? ""].filter { !$0.isEmpty }.joined(separator: " ")
                fail(place, "`\(program)` has no \(option)")
            }
            return
        }
        // Clustered: `-VFu nobody`, `-p11300`.
        for letter in option.dropFirst().prefix(while: \.isLetter) where !beanrow.knows("-\(letter)", of: "serve") {
            fail(place, "`beanrow` has no -\(letter), of \(option)")
        }
    }

    /// An option of a script: the script, or what it runs, must contain the option.
    private func checkOption(_ option: Substring, of script: Substring, _ place: String) {
        let folders = ["script/bench": "Benchmarks/harness", "script/simulate": "Tests/Simulate"]
        var texts = [text(of: String(script))]
        if script == "script/test" { texts.append("--filter") }
        if let folder = folders[String(script)] { texts += files(in: folder).map { text(of: $0) } }
        let name = option.drop { $0 == "-" }
        if !texts.contains(where: { $0.contains(option) || $0.contains("\"\(name)\"") || $0.contains("|\(name)|") })
            && !texts.contains(where: { $0.contains("(\(name)|") || $0.contains("|\(name))") })
        {
            fail(place, "\(script) has no \(option)")
        }
    }

    @Test func subcommands() {
        var named: Set<String> = []
        for page in Page.all {
            for piece in page.spans + page.commands {
                let words = piece.text.split(separator: " ")
                guard words.count > 1, words[0] == "beanrow", words[1].first!.isLowercase else { continue }
                let verbs = words[1] == "migrate" && words.count > 2 ? words[2].split(separator: "|") : []
                let isVerb = verbs.allSatisfy { $0.allSatisfy { $0.isLowercase } }
                let all = verbs.isEmpty || !isVerb ? [String(words[1])] : verbs.map { "migrate \($0)" }
                for command in all {
                    named.insert(command)
                    if !beanrow.commands.contains(command), command != "migrate" {
                        fail(piece.place, "there is no `beanrow \(command)`")
                    }
                }
            }
        }
        for command in beanrow.commands.subtracting(named) {
            fail("README.md and docs", "they lack `beanrow \(command)`")
        }
        // README.md names all commands.
        let readme = Page.named("README.md").spans.map(\.text).joined(separator: "\n")
        for command in beanrow.commands {
            let words = command.split(separator: " ")
            #expect(
                readme.contains("beanrow \(words[0])") && readme.contains(words.last!), "README.md lacks \(command)")
        }
    }

    /// Options in hints and errors of the schema and of the program.
    @Test func flagsInMessages() {
        let sources =
            files(in: "migrations") + files(in: "Sources/PostgresStore") + files(in: "Sources/BeanrowServer")
            + files(in: "Sources/beanrow")
        #expect(sources.count > 50)
        for path in sources where path.hasSuffix(".up.sql") || path.hasSuffix(".swift") {
            let string = path.hasSuffix(".sql") ? /'[^'\n]*'/ : /"[^"\n]*"/
            for (number, line) in text(of: path).split(separator: "\n", omittingEmptySubsequences: false).enumerated()
            where !line.trimmingPrefix(/\s*/).hasPrefix("--") && !line.trimmingPrefix(/\s*/).hasPrefix("//") {
                for found in line.matches(of: string) {
                    for command in found.0.matches(of: /beanrow (migrate [a-z]+|import|bench|serve)\b/)
                    where !beanrow.commands.contains(String(command.1)) {
                        fail("\(path):\(number + 1)", "there is no `\(command.0)`")
                    }
                    for option in found.0.matches(of: /(?:^|[ '"`(])(--[a-z][a-z-]*|-[A-Za-z])(?=[ .,;:'"`)]|$)/) {
                        let name = String(option.1)
                        if !beanrow.knows(name) { fail("\(path):\(number + 1)", "`beanrow` has no \(name)") }
                    }
                }
            }
        }
    }

    @Test func environmentVariables() {
        let programs = (files(in: "Sources") + files(in: "script") + ["Dockerfile", "docker-compose.yml"]).map {
            text(of: $0)
        }
        for page in Page.all {
            for name in Set(page.text.matches(of: /BEANROW_[A-Z_]+/).map { String($0.0) })
            where !programs.contains(where: { $0.contains(name) }) {
                fail(page.path, "nothing reads \(name)")
            }
        }
    }
}
