import Foundation
import TestKit
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// Where the admin listener listens, and whom it hears.
@Suite struct ListenerTests {
    private func start(_ options: [String] = [], http: String? = "127.0.0.1:0") throws -> (BrokerProcess, WebClient) {
        let broker = try BrokerProcess.start(options, http: http)
        return (broker, try WebClient(broker))
    }

    @Test func probes() throws {
        let (_, web) = try start()
        #expect(try web.get("/healthz").text == "ok\n")
        #expect(try web.get("/readyz").text == "ready\n")
        #expect(try web.get("/nothing").status == 404)
        #expect(try web.ask("POST", "/healthz").status == 405)
        let head = try web.ask("HEAD", "/healthz")
        #expect(head.status == 200)
        #expect(head.headers["content-length"] == "3")
    }

    @Test func notReadyWithoutItsDatabase() throws {
        let postgres = try TestPostgres.private()
        let broker = try BrokerProcess.start(postgres: postgres, http: "127.0.0.1:0")
        let web = try WebClient(broker)
        #expect(try web.get("/readyz").status == 200)
        postgres.freeze()
        defer { postgres.thaw() }
        try eventually("it is not ready") { try web.get("/readyz").status == 503 }
        #expect(try web.get("/readyz").text.contains("Not ready: "))
        #expect(try web.get("/healthz").status == 200)
        #expect(try web.get("/api/v1/tubes").status == 200)
        postgres.thaw()
        try eventually("it is ready again") { try web.get("/readyz").status == 200 }
    }

    @Test func aTakenAddress() throws {
        let (_, web) = try start()
        let postgres = try TestPostgres.shared()
        #expect {
            try BrokerProcess.start(postgres: postgres, http: "127.0.0.1:\(web.port)")
        } throws: { error in
            "\(error)".contains("exited with 111")
                && "\(error)".contains("cannot listen for HTTP on 127.0.0.1:\(web.port)")
        }
    }

    /// Whoever has the default port, a broker that was told no address goes on without.
    @Test func theDefaultAddressTaken() throws {
        let first = try BrokerProcess.start(http: BrokerProcess.defaultHTTP)
        let second = try BrokerProcess.start(http: BrokerProcess.defaultHTTP)
        #expect(second.stderr.components(separatedBy: "goes on without the page").count == 2)
        let client = try second.connect()
        try client.send("use a\r\n")
        try client.expect("USING a")
        _ = first
    }

    @Test func aSocketFile() throws {
        let path = "/tmp/beanrow-http-\(getpid()).socket"
        let broker = try BrokerProcess.start(http: "unix:\(path)")
        let client = try WireClient(address: .unix(path: path))
        try client.send("GET /healthz HTTP/1.1\r\nHost: whatever\r\n\r\n")
        try client.expect("HTTP/1.1 200 OK")
        try broker.stop()
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    // MARK: Who may ask

    @Test(arguments: ["0.0.0.0:0", "[::]:0"]) func everybodyHasToBeKnownElsewhere(_ address: String) throws {
        #expect {
            try BrokerProcess.start(http: address)
        } throws: { error in
            "\(error)".contains("exited with 5") && "\(error)".contains("needs a way to know who asks")
        }
    }

    @Test func usersOfAFile() throws {
        let hash = try runProgram("/usr/bin/openssl", ["passwd", "-6", "-salt", "pepper", "secret"])
        let file = try temporaryFile("# who may look\nada:\(hash)")
        let (broker, web) = try start(["--http-users", file], http: "0.0.0.0:0")
        _ = broker
        func ask(
            _ user: String, _ method: String = "GET", _ path: String = "/api/v1/overview"
        ) throws -> WebClient.Answer {
            let credentials = Data(user.utf8).base64EncodedString()
            return try web.ask(
                method, path, json: method == "POST" ? "{}" : nil, ["Authorization: Basic \(credentials)"])
        }
        #expect(try web.get("/api/v1/overview").status == 401)
        #expect(try web.get("/api/v1/overview").headers["www-authenticate"]?.hasPrefix("Basic ") == true)
        #expect(try web.get("/").status == 401)
        #expect(try web.get("/healthz").status == 200)
        #expect(try ask("ada:wrong").status == 401)
        #expect(try ask("eve:secret").status == 401)
        let overview = try #require(try ask("ada:secret").json() as? [String: Any])
        #expect(overview["viewer"] as? String == "ada")
        #expect(overview["may_act"] as? Bool == false)
        let refused = try ask("ada:secret", "POST", "/api/v1/tubes/default/kick")
        #expect(refused.status == 403)
        #expect(refused.text.contains("look and not act"))
    }

    @Test func tokensOfAFile() throws {
        let file = try temporaryFile("0123456789abcdef")
        let (broker, web) = try start(["--http-token", file, "--http-allow-actions"], http: "0.0.0.0:0")
        _ = broker
        func ask(_ token: String) throws -> WebClient.Answer {
            try web.ask("GET", "/api/v1/overview", ["Authorization: Bearer \(token)"])
        }
        #expect(try ask("0123456789abcdeg").status == 401)
        #expect(try (ask("0123456789abcdef").json() as? [String: Any])?["may_act"] as? Bool == true)
    }

    @Test func aTrustedProxy() throws {
        let options = ["--http-trusted-proxy", "127.0.0.1", "--http-user-header", "X-User", "--http-base-path", "/q"]
        let (broker, web) = try start(options)
        _ = broker
        #expect(try web.get("/q/api/v1/overview").status == 401)
        #expect(try web.get("/api/v1/overview").status == 404)
        let page = try web.ask(
            "GET", "/q/", ["X-User: ada", "X-Forwarded-Prefix: /shop", "X-Forwarded-Host: a.example"])
        #expect(page.status == 200)
        #expect(page.text.contains("/shop/q/"))
        let forged = try web.ask("GET", "/q/", ["X-User: ada", "X-Forwarded-Prefix: /a\"><script>"])
        #expect(!forged.text.contains("<script>"))
    }

    @Test func aFileThatIsNone() throws {
        let file = try temporaryFile("ada secret")
        #expect {
            try BrokerProcess.start(["--http-users", file], http: "127.0.0.1:0")
        } throws: { error in
            "\(error)".contains("exited with 5") && "\(error)".contains("line 1 is not NAME:HASH")
        }
    }

    private func temporaryFile(_ text: String) throws -> String {
        let path = "/tmp/beanrow-http-\(UUID().uuidString)"
        try (text + "\n").write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    // MARK: Forged requests

    @Test func otherNamesOfThisMachine() throws {
        let (_, web) = try start(["--http-host", "queue.internal"])
        for (host, status) in [
            ("localhost:1", 200), ("[::1]:5", 200), ("127.0.0.1", 200), ("queue.internal", 200), ("evil.example", 403),
            ("127.0.0.1.evil.example", 403),
        ] {
            var client = web
            client.host = host
            #expect(try client.get("/api/v1/overview").status == status, "\(host)")
        }
    }

    @Test func pagesOfOthers() throws {
        let (_, web) = try start()
        let own = "http://127.0.0.1:\(web.port)"
        for (headers, status) in [
            ([], 201), (["Origin: \(own)"], 201), (["Origin: \(own)", "Sec-Fetch-Site: same-origin"], 201),
            (["Sec-Fetch-Site: none"], 201), (["Origin: http://evil.example"], 403), (["Origin: null"], 403),
            (["Origin: http://127.0.0.1:1"], 403), (["Sec-Fetch-Site: cross-site"], 403),
            (["Sec-Fetch-Site: same-site"], 403),
        ] {
            let answer = try web.ask("POST", "/api/v1/jobs", json: #"{"tube": "a", "body": "b"}"#, headers)
            #expect(answer.status == status, "\(headers)")
        }
        // What a form can send without asking.
        let form = try web.ask(
            "POST", "/api/v1/jobs", ["Content-Type: text/plain", "Content-Length: 2"])
        #expect(form.status == 415 || form.status == 400)
    }

    @Test func headersOfEachAnswer() throws {
        let (_, web) = try start()
        for path in ["/", "/api/v1/tubes", "/nothing"] {
            let headers = try web.get(path).headers
            #expect(headers["content-security-policy"]?.hasPrefix("default-src 'none'; script-src 'self'") == true)
            #expect(headers["content-security-policy"]?.contains("frame-ancestors 'none'") == true)
            #expect(headers["content-security-policy"]?.contains("unsafe") == false)
            #expect(headers["x-content-type-options"] == "nosniff")
            #expect(headers["referrer-policy"] == "no-referrer")
        }
        #expect(try web.get("/api/v1/tubes").headers["cache-control"] == "no-store")
    }

    @Test func tooMuch() throws {
        let (broker, web) = try start()
        let large = String(repeating: "x", count: 300_000)
        #expect(try web.ask("POST", "/api/v1/jobs", json: #"{"tube": "a", "body": "\#(large)"}"#).status == 413)
        let line = try WireClient(address: .tcp(port: web.port))
        try line.send("GET /\(large) HTTP/1.1\r\nHost: localhost\r\n\r\n")
        #expect(try line.readLine().contains("400"))
        #expect(try web.get("/healthz").status == 200)
        #expect(broker.exitCode == nil)
    }

    // MARK: The page

    @Test func theFilesOfThePage() throws {
        let (_, web) = try start()
        let page = try web.get("/")
        #expect(page.status == 200)
        #expect(page.headers["content-type"] == "text/html; charset=utf-8")
        #expect(page.headers["cache-control"] == "no-cache")
        let text = String(decoding: page.body, as: UTF8.self)
        let assets = try #require(text.firstMatch(of: /src="(assets\/[0-9a-f]+)\/main.js"/)?.1)
        let folder = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../Sources/AdminServer/Page").standardized
        for file in try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil) {
            let name = file.lastPathComponent
            guard name != "index.html", name != "README.md" else { continue }
            let answer = try web.get("/\(assets)/\(name)")
            let isText = ["css", "js"].contains(file.pathExtension)
            // Without what means nothing: the space of style sheets too.
            func essence(_ bytes: [UInt8]) -> [UInt8] {
                guard isText else { return bytes }
                let text = withoutMargins(String(decoding: bytes, as: UTF8.self))
                return Array((file.pathExtension == "css" ? text.filter { $0 != " " && $0 != ";" } : text).utf8)
            }
            let source = try Array(Data(contentsOf: file))
            #expect(answer.body.count <= source.count)
            #expect(essence(answer.body) == essence(source), "\(name) (PageFiles.swift lists what is served)")
            let tag = try #require(answer.headers["etag"])
            #expect(try web.ask("GET", "/\(assets)/\(name)", ["If-None-Match: \(tag)"]).status == 304)
            #expect(answer.headers["cache-control"]?.contains("immutable") == true)
        }
        // The modules of the first screen are asked for at once, and no others.
        let early = text.matches(of: /<link rel="modulepreload" href="assets\/[0-9a-f]+\/([a-z]+.js)">/).map {
            String($0.1)
        }
        #expect(Set(early).count == early.count)
        #expect(Set(early).isSuperset(of: ["main.js", "tubes.js", "dom.js", "table.js", "texts.js"]))
        #expect(Set(early).isDisjoint(with: ["theme.js", "job.js", "tree.js", "put.js"]))
        // A page of another version gets the file of this one, and does not keep it.
        #expect(try web.get("/assets/0/main.js").headers["cache-control"] == "no-cache")
        #expect(try web.get("/assets/main.js").status == 404)
    }
}

/// Scripts and style sheets are served without indentation and without lines that are comments.
private func withoutMargins(_ text: String) -> String {
    text.split(separator: "\n").map { $0.drop { $0 == " " } }
        .filter { line in !line.isEmpty && !["//", "/*", "* ", "*/"].contains { line.hasPrefix($0) } }
        .map { "\($0)\n" }.joined()
}
