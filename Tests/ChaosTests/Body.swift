/// The body of a job. It names the put that made it, so that jobs cannot be mistaken for each other.
struct Body: Sendable, Hashable {
    /// The number of the put, unique in a run.
    var token: Int
    /// The job's time to run, in seconds.
    var ttr: Int
    /// The approximate number of bytes.
    var size: Int

    /// The bytes of the body.
    var text: String {
        let head = "\(token) \(ttr) \(size) "
        let word = "job-\(token)-"
        return head + String(repeating: word, count: max(1, (size - head.utf8.count) / word.utf8.count))
    }

    init(token: Int, ttr: Int, size: Int) {
        self.token = token
        self.ttr = ttr
        self.size = size
    }

    /// Nil unless the text is exactly the body of a job.
    init?(_ text: String) {
        let numbers = text.prefix(60).split(separator: " ").prefix(3).compactMap { Int($0) }
        guard numbers.count == 3, numbers[2] < 1 << 20 else { return nil }
        self.init(token: numbers[0], ttr: numbers[1], size: numbers[2])
        guard self.text == text else { return nil }
    }
}
