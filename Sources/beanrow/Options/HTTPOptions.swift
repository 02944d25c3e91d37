import AdminServer
import ArgumentParser
import Foundation

/// The admin listener: health, metrics, the API and the page.
struct HTTPOptions: ParsableArguments {
    @Option(
        name: .customLong("http"),
        help: ArgumentHelp(
            "Serve the page, the API and metrics over HTTP on this address, or on unix:PATH (default: 127.0.0.1:11380, "
                + "if it is free). Port 0 takes a free one.", valueName: "addr:port"),
        transform: { text in
            guard let address = AdminConfiguration.Address(text) else {
                throw ValidationError("--http takes ADDR:PORT, [ADDR]:PORT or unix:PATH.")
            }
            return address
        })
    var given: AdminConfiguration.Address?

    @Flag(name: .customLong("no-http"), help: "Serve nothing over HTTP.")
    var isOff = false

    @Flag(
        name: .customLong("http-allow-actions"),
        help: "Let viewers act on an address that is not loopback; there they else only look.")
    var allowsActions = false

    @Option(
        name: .customLong("http-users"),
        help: ArgumentHelp(
            "Serve only the users in this file: lines of NAME:HASH, with a hash as `openssl passwd -6` makes it.",
            valueName: "file"))
    var users: String?

    @Option(
        name: .customLong("http-token"),
        help: ArgumentHelp("Serve whoever sends a bearer token of this file, one a line.", valueName: "file"))
    var tokens: String?

    @Option(
        name: .customLong("http-trusted-proxy"),
        help: ArgumentHelp("Believe the headers of the proxy at this IP address. May be repeated.", valueName: "addr"))
    var trustedProxies: [String] = []

    @Option(
        name: .customLong("http-user-header"),
        help: ArgumentHelp("The header in which a trusted proxy says who asks.", valueName: "name"))
    var userHeader: String?

    @Option(
        name: .customLong("http-base-path"),
        help: ArgumentHelp("Serve everything below this path.", valueName: "path"))
    var basePath = "/"

    @Option(
        name: .customLong("http-host"),
        help: ArgumentHelp(
            "Browsers may reach a loopback address by this name too. May be repeated.", valueName: "name"))
    var hosts: [String] = []

    func validate() throws {
        guard given == nil || !isOff else { throw ValidationError("--http and --no-http exclude each other.") }
        guard basePath.hasPrefix("/"), !basePath.hasPrefix("//"), !basePath.contains(where: { "?#%\"<> ".contains($0) })
        else { throw ValidationError("--http-base-path takes a path that begins with a slash.") }
        guard userHeader == nil || !trustedProxies.isEmpty else {
            throw ValidationError("--http-user-header needs --http-trusted-proxy: anybody can send a header.")
        }
        let isNamed = users != nil || tokens != nil || userHeader != nil
        guard isNamed || given?.isLoopback ?? true else {
            throw ValidationError(
                "--http on an address that is not loopback needs a way to know who asks: --http-users, --http-token, or "
                    + "--http-trusted-proxy with --http-user-header.")
        }
    }

    /// `nil` without a listener. Reads the files.
    func configuration() throws -> AdminConfiguration? {
        guard !isOff else { return nil }
        var configuration = AdminConfiguration()
        if let given { configuration.address = given }
        configuration.basePath = basePath.hasSuffix("/") ? basePath : basePath + "/"
        configuration.access.allowsActions = allowsActions || configuration.address.isLoopback
        configuration.access.users = try users.map { try read($0, "--http-users", Access.users) } ?? [:]
        configuration.access.tokens = try tokens.map { try read($0, "--http-token", Access.tokens) } ?? []
        configuration.access.trustedProxies = Set(trustedProxies)
        configuration.access.userHeader = userHeader
        configuration.access.hosts = Set(hosts.map { $0.lowercased() })
        return configuration
    }

    private func read<Value>(_ path: String, _ option: String, _ parse: (String) throws -> Value) throws -> Value {
        do {
            return try parse(String(contentsOfFile: path, encoding: .utf8))
        } catch {
            throw HTTPOptionError(description: "\(option) \(path): \(reason(error))")
        }
    }

    private func reason(_ error: any Error) -> String {
        (error as? AccessError)?.description ?? "it cannot be read"
    }
}

/// A file that an option names is of no use.
struct HTTPOptionError: Error, CustomStringConvertible {
    let description: String
}
