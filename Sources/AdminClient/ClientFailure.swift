public import AdminAPI

/// Why there is no answer, as a sentence.
public enum ClientFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// No admin listener was reached there.
    case unreachable(address: String, reason: String)
    /// What answers there is no admin listener of Beanrow.
    case foreign(address: String, reason: String)
    /// The file of certificate authorities cannot be used.
    case noAuthorities(file: String)
    /// The listener has refused the request.
    case refused(Problem)

    public var description: String {
        switch self {
        case .unreachable(let address, let reason): "No answer from \(address): \(reason)."
        case .foreign(let address, let reason): "What answers at \(address) is not Beanrow's admin listener: \(reason)."
        case .noAuthorities(let file): "\(file) has no certificate in PEM."
        case .refused(let problem):
            ([problem.title] + (problem.hint.map { [$0] } ?? [])).map(Self.sentence).joined(separator: " ")
        }
    }

    /// The queue has no such tube, job or operation.
    public var isNotFound: Bool {
        if case .refused(let problem) = self { problem.status == 404 } else { false }
    }

    private static func sentence(_ text: String) -> String {
        text.last.map { ".!?".contains($0) } ?? true ? text : text + "."
    }
}
