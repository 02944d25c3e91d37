/// Where answers come from.
public protocol QueueSource: Sendable {
    /// - Throws: `Trouble`.
    func load(_ request: Request) async throws -> Answer
    /// - Throws: `Trouble`.
    func run(_ command: Command) async throws -> Outcome
}
