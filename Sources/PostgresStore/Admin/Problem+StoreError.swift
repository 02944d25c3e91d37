import AdminAPI

/// What is told of an error of the store.
extension Problem {
    static let busy = Problem(
        status: 503, title: "The listener is busy.", hint: "All of its sessions with PostgreSQL are in use: try again.")

    static func notFound(_ what: String) -> Problem { Problem(status: 404, title: "There is no \(what).") }

    /// Runs work, and makes a `Problem` of what it throws.
    static func catching<Value>(_ session: AdminSession, _ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch let error as StoreError {
            let hint = session.hint
            if error.isLost { session.close() }
            throw Problem(error, hint: hint)
        }
    }

    init(_ error: StoreError, hint: String?) {
        guard case .refused(let state, let message) = error, !error.isLost else {
            self.init(
                status: 503, title: "The database is away.",
                hint: "\(error). The broker connects again by itself; see its log.")
            return
        }
        switch state {
        case "BR006":
            self.init(status: 404, title: Problem.sentence(message), hint: hint, code: state)
        case "BR009", "BR010", "BR013":
            self.init(status: 409, title: Problem.sentence(message), hint: hint, code: state)
        case _ where state.hasPrefix("BR"):
            self.init(status: 400, title: Problem.sentence(message), hint: hint, code: state)
        case "57014":
            self.init(
                status: 504, title: "PostgreSQL took longer than 2 s.",
                hint: "Ask for less at a time: a tube, a state, a range of ids. If it stays slow, see the warnings.",
                code: state)
        case "42501":
            self.init(
                status: 403, title: "The broker's role in the database may not do this: \(message).",
                hint:
                    "As the owner of the schema, run `beanrow migrate roles`, or `beanrow migrate role` for this one.",
                code: state)
        case "42P01", "42883", "3F000":
            self.init(
                status: 503, title: "The schema lacks something: \(message).",
                hint: "Run `beanrow migrate up` with the version of the broker.", code: state)
        case "55P03",
            _ where state.hasPrefix("40"):
            self.init(
                status: 409, title: "Another transaction is in the way.", hint: "Try again in a moment.", code: state)
        case _ where state.hasPrefix("53"):
            self.init(
                status: 503, title: "PostgreSQL lacks room: \(message).",
                hint: "See the server's disk, memory and connections.", code: state)
        default:
            self.init(status: 500, title: "PostgreSQL refused: \(message).", hint: hint, code: state)
        }
    }

    /// A message of PostgreSQL, which begins small and ends without a full stop, as a sentence.
    private static func sentence(_ message: String) -> String {
        let text = message.prefix(1).uppercased() + message.dropFirst()
        return text.hasSuffix(".") ? text : text + "."
    }
}
