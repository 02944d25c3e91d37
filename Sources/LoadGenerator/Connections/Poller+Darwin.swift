#if canImport(Darwin)
import Darwin

/// The same with kqueue.
final class Poller {
    private let queue = kqueue()
    private let events = UnsafeMutableBufferPointer<kevent>.allocate(capacity: 256)

    init() throws(LoadFailure) {
        guard queue >= 0 else {
            throw LoadFailure("cannot wait for connections: \(String(cString: strerror(errno)))")
        }
    }

    deinit {
        close(queue)
        events.deallocate()
    }

    func add(_ descriptor: Int32, _ token: Int) {
        change(descriptor, EVFILT_READ, EV_ADD, token)
    }

    func watch(_ descriptor: Int32, _ token: Int, writes: Bool) {
        change(descriptor, EVFILT_WRITE, writes ? EV_ADD : EV_DELETE, token)
    }

    func remove(_ descriptor: Int32) {
        // The queue forgets a socket when it is closed.
    }

    func wait(until time: Nanoseconds, _ use: (Int) throws(LoadFailure) -> Void) throws(LoadFailure) {
        let now = monotonicTime()
        let left = time > now ? time - now : 0
        var timeout = timespec(tv_sec: Int(left / 1_000_000_000), tv_nsec: Int(left % 1_000_000_000))
        let count = kevent(queue, nil, 0, events.baseAddress!, Int32(events.count), &timeout)
        guard count > 0 else { return }
        for event in events[..<Int(count)] { try use(Int(bitPattern: event.udata)) }
    }

    private func change(_ descriptor: Int32, _ filter: Int32, _ flags: Int32, _ token: Int) {
        var change = kevent(
            ident: UInt(descriptor), filter: Int16(filter), flags: UInt16(flags), fflags: 0, data: 0,
            udata: UnsafeMutableRawPointer(bitPattern: token))
        kevent(queue, &change, 1, nil, 0, nil)
    }
}
#endif
