import Testing

@testable import LoadGenerator

@Suite struct AddressTests {
    @Test(arguments: [
        ("127.0.0.1:11300", Address.ip("127.0.0.1", port: 11300)), ("[::1]:1", .ip("::1", port: 1)),
        ("192.0.2.7:65535", .ip("192.0.2.7", port: 65535)), ("unix:/run/b.sock", .unix(path: "/run/b.sock")),
    ])
    func addresses(text: String, address: Address) throws {
        #expect(try Address(parsing: text) == address)
        #expect("\(address)" == text)
    }

    @Test(arguments: [
        ("localhost:11300", "write 127.0.0.1:11300"), ("example.org:1", "no name is looked up"),
        ("127.0.0.1", "has no port"), ("127.0.0.1:", "has no port"), ("127.0.0.1:0", "has no port"),
        ("127.0.0.1:65536", "has no port"), ("::1:11300", "not an IP address"), ("[127.0.0.1]:1", "not an IP address"),
        ("127.1:1", "not an IP address"), (":1", "not an IP address"), ("", "has no port"), ("unix:", "takes a path"),
        ("unix:" + String(repeating: "x", count: 200), "takes a path"),
    ])
    func refusesOtherText(text: String, says: String) {
        let failure = #expect(throws: LoadFailure.self) { try Address(parsing: text) }
        #expect("\(failure!)".contains(says))
    }
}
