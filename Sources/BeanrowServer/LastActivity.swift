/// When a client was last active. The time is the number of the loop's idle check.
struct LastActivity {
    private var check = 0
    /// Bytes of replies that the client had not read at that time; `Int.max` if they were not looked at.
    private var unreadBytes = Int.max

    /// The client sent something.
    mutating func received(at check: Int) {
        self.check = check
    }

    /// The client was sent a reply.
    mutating func replied(at check: Int) {
        self.check = check
        unreadBytes = .max
    }

    /// Whether the client was inactive in more than `limit` checks. Reading some of its replies is activity.
    mutating func isIdle(at now: Int, limit: Int, unreadBytes left: @autoclosure () -> Int) -> Bool {
        guard now - check > limit else { return false }
        let left = left()
        guard left > 0, left < unreadBytes else { return true }
        unreadBytes = left
        check = now
        return false
    }
}
