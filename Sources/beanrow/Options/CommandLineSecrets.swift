import PostgresStore

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// Passwords in connection strings on the command line, which every user of the machine can read (`ps`).
enum CommandLineSecrets {
    /// Whether the command line had a password.
    nonisolated(unsafe) private(set) static var werePassed = false
    nonisolated(unsafe) private static var secrets: [ConnectionSecrets] = []

    /// Overwrites the connection strings where the system shows them, as PostgreSQL's own programs do. To be called
    /// before there is a second thread, with a copy of the arguments.
    static func hide(_ arguments: [String]) {
        for (option, argument) in zip(arguments, arguments.dropFirst()) {
            let value = argument.hasPrefix(prefix) ? String(argument.dropFirst(prefix.count)) : argument
            let isDatabase = value != argument || option + "=" == prefix
            guard isDatabase || value.contains("://") || value.contains("password") else { continue }
            let found = ConnectionSecrets(in: value)
            guard !found.isEmpty else { continue }
            werePassed = true
            secrets.append(found)
            overwrite(argument, from: argument.utf8.count - value.utf8.count)
        }
    }

    private static let prefix = "--database="

    /// The message without the passwords of the command line.
    static func redact(_ message: String) -> String {
        secrets.reduce(message) { $1.redact($0) }
    }

    private static func overwrite(_ argument: String, from start: Int) {
        for index in 0..<Int(CommandLine.argc) {
            guard let bytes = CommandLine.unsafeArgv[index], strcmp(bytes, argument) == 0 else { continue }
            memset(bytes + start, Int32(UInt8(ascii: "x")), strlen(bytes) - start)
        }
    }
}
