/// One of the servers that a connection string names, as libpq's options of these names. An empty option is not given.
struct HostAddress: Equatable, Sendable {
    var host: String
    var hostaddr: String
    var port: String

    /// The servers of libpq's lists: as many as there are hosts or, without hosts, addresses. One port may serve all.
    static func all(host: String, hostaddr: String, port: String) -> [HostAddress] {
        let hosts = elements(host)
        let addresses = elements(hostaddr)
        let ports = elements(port)
        return (0..<max(hosts.count, addresses.count)).map { index in
            HostAddress(
                host: index < hosts.count ? hosts[index] : "",
                hostaddr: index < addresses.count ? addresses[index] : "",
                port: index < ports.count ? ports[index] : ports[0])
        }
    }

    private static func elements(_ list: String) -> [String] {
        list.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
}
