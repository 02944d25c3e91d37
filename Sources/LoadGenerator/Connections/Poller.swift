#if canImport(Glibc)
import CLinux
import Glibc

/// Waits for many sockets and for one time, with epoll. The time is kept by a timerfd, since epoll counts milliseconds:
/// a put that is planned every 50 µs would be sent too late and measured wrong.
final class Poller {
    private let poll: Int32
    private let timer: Int32
    private var timerTime: Nanoseconds = 0
    private let events = UnsafeMutableBufferPointer<epoll_event>.allocate(capacity: 256)

    private static let timerToken = UInt64.max

    init() throws(LoadFailure) {
        poll = epoll_create1(Int32(EPOLL_CLOEXEC))
        timer = timerfd_create(CLOCK_MONOTONIC, Int32(TFD_CLOEXEC))
        guard poll >= 0, timer >= 0 else {
            throw LoadFailure("cannot wait for connections: \(String(cString: strerror(errno)))")
        }
        control(EPOLL_CTL_ADD, timer, Self.timerToken, writes: false)
    }

    deinit {
        close(poll)
        close(timer)
        events.deallocate()
    }

    /// Watches a socket for input. `token` is the number that `wait` reports it by.
    func add(_ descriptor: Int32, _ token: Int) {
        control(EPOLL_CTL_ADD, descriptor, UInt64(token), writes: false)
    }

    /// Begins or ends to watch the socket for room to write as well.
    func watch(_ descriptor: Int32, _ token: Int, writes: Bool) {
        control(EPOLL_CTL_MOD, descriptor, UInt64(token), writes: writes)
    }

    /// To be called before the socket is closed.
    func remove(_ descriptor: Int32) {
        control(EPOLL_CTL_DEL, descriptor, 0, writes: false)
    }

    /// Waits until `time` at the latest, and calls `use` with the token of each socket that is ready.
    func wait(until time: Nanoseconds, _ use: (Int) throws(LoadFailure) -> Void) throws(LoadFailure) {
        setTimer(time)
        let count = epoll_wait(poll, events.baseAddress!, Int32(events.count), -1)
        guard count > 0 else { return }
        for event in events[..<Int(count)] where event.data.u64 != Self.timerToken {
            try use(Int(event.data.u64))
        }
    }

    private func control(_ operation: Int32, _ descriptor: Int32, _ token: UInt64, writes: Bool) {
        var event = epoll_event()
        event.events = EPOLLIN.rawValue | (writes ? EPOLLOUT.rawValue : 0)
        event.data.u64 = token
        epoll_ctl(poll, operation, descriptor, &event)
    }

    /// Setting the timer clears its expiration, so it is never read.
    private func setTimer(_ time: Nanoseconds) {
        guard time != timerTime else { return }
        timerTime = time
        var setting = itimerspec()
        setting.it_value.tv_sec = Int(time / 1_000_000_000)
        setting.it_value.tv_nsec = Int(time % 1_000_000_000)
        timerfd_settime(timer, Int32(TFD_TIMER_ABSTIME), &setting, nil)
    }
}
#endif
