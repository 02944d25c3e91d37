import Foundation

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// The thread of a `FaultProxy`: one poll over all sockets.
final class ProxyLoop {
    private let listener: Int32
    private let server: ServerAddress
    private let content: FaultProxy.Content
    private let control: ProxyControl
    private var links: [ProxyLink] = []
    private var resets = 0

    init(listener: Int32, server: ServerAddress, content: FaultProxy.Content, control: ProxyControl) {
        self.listener = listener
        self.server = server
        self.content = content
        self.control = control
    }

    func run() {
        while true {
            let state = control.hear()
            if state.isEnding { break }
            if state.resets > resets {
                resets = state.resets
                for link in links { link.close() }
            }
            for link in links { link.move(under: state.faults) }
            links.removeAll { $0.isClosed }
            wait()
            accept(under: control.read { $0.faults })
        }
        for link in links { link.close() }
        systemClose(listener)
    }

    /// Waits until a socket or the bell is readable, or a delayed piece is due.
    private func wait() {
        var entries = [
            pollfd(fd: control.bell, events: Int16(POLLIN), revents: 0),
            pollfd(fd: listener, events: Int16(POLLIN), revents: 0),
        ]
        for link in links { entries += link.interests }
        let due = links.compactMap(\.nextDue).min()
        let patience = due.map { Int32(clamping: Int64(($0 - .now) / .milliseconds(1)) + 1) } ?? -1
        poll(&entries, nfds_t(entries.count), due == nil ? -1 : max(0, patience))
    }

    private func accept(under faults: FaultProxy.Faults) {
        while let client = acceptConnection(on: listener) {
            if faults.refuses {
                systemClose(client)
            } else if faults.losesRequests || faults.losesAnswers {
                links.append(ProxyLink(client: client, server: nil, tap: nil))
            } else if let server = try? server.connect() {
                let tap = content == .postgres ? PostgresTap(control: control) : nil
                links.append(ProxyLink(client: client, server: server, tap: tap))
            } else {
                systemClose(client)
            }
        }
    }
}
