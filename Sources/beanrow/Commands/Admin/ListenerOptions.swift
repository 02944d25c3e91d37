import AdminClient
import ArgumentParser
import Foundation
import LogKeys

/// Where the listener is, and who asks.
struct ListenerOptions: ParsableArguments {
    @Option(
        name: .customLong("http"),
        help: ArgumentHelp(
            "The broker's HTTP address: HOST:PORT, http(s)://HOST:PORT/PATH or unix:PATH; also from BEANROW_HTTP "
                + "(default: 127.0.0.1:11380).", valueName: "address"))
    var given: String?

    @Option(
        help: ArgumentHelp(
            "A file with a token, or with USER:PASSWORD; BEANROW_HTTP_TOKEN holds one itself.", valueName: "file"))
    var tokenFile: String?

    @Option(
        name: .customLong("ca-file"),
        help: ArgumentHelp(
            "For https: believe the certificate authorities of this file, in PEM, instead of the system's; also from "
                + "BEANROW_HTTP_CA_FILE.", valueName: "file"))
    var authorities: String?

    func validate() throws {
        guard AdminAddress(address) != nil else {
            throw ValidationError("\(address) is no address: HOST:PORT, http://HOST:PORT/PATH or unix:PATH.")
        }
    }

    /// The option, else the environment variable, else the default.
    var address: String {
        given ?? Environment["BEANROW_HTTP"] ?? "\(AdminAddress.standard)"
    }

    /// `other`: An address from elsewhere, such as an argument.
    func client(at other: AdminAddress? = nil, timeout: Double = 30) throws -> AdminClient {
        let authorities = authorities ?? Environment["BEANROW_HTTP_CA_FILE"]
        do {
            return try AdminClient(
                other ?? AdminAddress(address)!, credentials: try credentials, authorities: authorities,
                timeout: timeout)
        } catch ClientFailure.noAuthorities(let file) {
            throw ValidationError("\(file) (--ca-file) has no certificate in PEM.")
        }
    }

    private var credentials: Credentials? {
        get throws {
            guard let tokenFile else { return Environment["BEANROW_HTTP_TOKEN"].flatMap { Credentials($0) } }
            guard let text = try? String(contentsOfFile: tokenFile, encoding: .utf8) else {
                throw ValidationError("\(tokenFile) (--token-file) cannot be read.")
            }
            return Credentials(text)
        }
    }
}

/// Variables that are set and not empty.
enum Environment {
    static subscript(name: String) -> String? {
        ProcessInfo.processInfo.environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }
}

/// Runs a command of this folder. What goes wrong is said in a sentence, with status 1.
func reporting(_ command: String, _ body: () async throws -> Void) async throws {
    do {
        try await body()
    } catch let failure as ClientFailure {
        StandardError.say("beanrow \(command): \(failure)")
        throw Failure(status: .failure)
    }
}
