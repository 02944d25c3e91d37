import ArgumentParser
import Dispatch
import LogKeys

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// The version that `-v` and `stats` report.
let beanrowVersion = "0.1.0"

struct Beanrow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "beanrow",
        abstract: "A beanstalkd that keeps every job as a row in PostgreSQL.",
        subcommands: [
            Serve.self, Import.self, Migrate.self, Bench.self, ShowTop.self, Tubes.self, Jobs.self, Job.self, Put.self,
            Kick.self, Delete.self, Bury.self, Move.self, Resume.self, Pause.self, Unpause.self, Clear.self,
            Tail.self,
        ],
        defaultSubcommand: Serve.self)

    /// Whether the program was started under the name `beanstalkd`.
    static let isNamedBeanstalkd = CommandLine.arguments.first?.split(separator: "/").last == "beanstalkd"

    /// What `-v` prints. Under the name `beanstalkd` that name and version come first, where scripts look for them.
    static var versionLine: String {
        isNamedBeanstalkd ? "beanstalkd 1.13 (beanrow \(beanrowVersion))" : "beanrow \(beanrowVersion)"
    }
}

@main
enum Main {
    /// Keeps the main thread alive. An asynchronous main would end it, and a dead thread keeps the user that it had:
    /// `ps` would show that user after `-u`.
    static func main() {
        Signals.openStandardFiles()
        let arguments = CommandLine.arguments
        CommandLineSecrets.hide(arguments)
        let end = DispatchSemaphore(value: 0)
        Task.detached {
            await run(arguments)
            end.signal()
        }
        end.wait()
    }

    private static func run(_ given: [String]) async {
        do {
            let arguments = Getopt.expand(Array(given.dropFirst()))
            // As in beanstalkd, -h lists the flags of the server.
            if arguments.first == "-h" { return print(Beanrow.helpMessage(for: Serve.self)) }
            var command = try Beanrow.parseAsRoot(arguments)
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch let failure as Failure {
            exit(failure.status)
        } catch {
            let code = Beanrow.exitCode(for: error)
            guard code != .success else { Beanrow.exit(withError: error) }
            let message = CommandLineSecrets.redact(Beanrow.fullMessage(for: error))
            if !message.isEmpty { StandardError.say(message) }
            exit(code == .validationFailure ? ExitStatus.usage.rawValue : code.rawValue)
        }
    }
}
