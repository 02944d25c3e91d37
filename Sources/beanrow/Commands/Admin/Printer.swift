import AdminAPI
import ArgumentParser
import Foundation
import LogKeys
import Terminal

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// How answers are printed: a table on a terminal, JSON elsewhere.
struct Printer: ParsableArguments {
    @Flag(help: "Print JSON, as is done where standard output is no terminal.")
    var json = false

    var isTable: Bool { !json && isatty(STDOUT_FILENO) == 1 }

    /// Prints the value as JSON, or what `table` makes of it.
    func show(_ value: some Encodable, table: () -> [Line]) throws {
        guard isTable else { return try Self.say(value) }
        let ansi = Self.ansi
        // A long table is written at once.
        print(table().map { ansi.text($0) }.joined(separator: "\n"))
    }

    /// One JSON document on a line.
    static func say(_ value: some Encodable) throws {
        let encoder = AdminAPI.encoder()
        encoder.outputFormatting.insert(.sortedKeys)
        print(String(decoding: try encoder.encode(value), as: UTF8.self))
        fflush(nil)
    }

    static var ansi: Ansi { Ansi(hasColours: hasColours, hasStyles: isTerminal, charset: charset) }

    static var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 && Environment["TERM"] != "dumb" }

    static var hasColours: Bool { isTerminal && Environment["NO_COLOR"] == nil }

    static var charset: Charset { Charset { Environment[$0] } }

    /// Cells of a line; nil where nobody has set a width.
    static var width: Int? {
        Session.terminalSize?.width ?? Environment["COLUMNS"].flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
    }

    static func lines(_ table: Table) -> [Line] {
        let (head, rows) = table.lines(width: width)
        return [head] + rows
    }

    /// A sentence beside the answer, for people.
    static func note(_ text: String) {
        StandardError.say(text)
    }
}

/// Asks before something that cannot be undone.
struct Confirmation: ParsableArguments {
    @Flag(help: "Do not ask.")
    var yes = false

    /// - Throws: `Failure` if the answer is not yes, or if nobody is there to ask.
    func ask(_ question: String, _ command: String) throws {
        if yes { return }
        guard isatty(STDIN_FILENO) == 1, isatty(STDERR_FILENO) == 1 else {
            StandardError.say("beanrow \(command): \(question) Nobody is there to ask; --yes says yes.")
            throw Failure(status: .failure)
        }
        StandardError.write("\(PlainText.line(question)) y/N ")
        let answer = readLine()?.trimmingCharacters(in: .whitespaces).lowercased()
        guard answer == "y" || answer == "yes" else {
            StandardError.say("Nothing was done.")
            throw Failure(status: .failure)
        }
    }
}
