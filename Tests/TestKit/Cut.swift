/// A place in PostgreSQL's protocol where a `FaultProxy` ends a connection, towards both sides.
///
/// A broker sends its statements in a pipeline whose sync message commits them. A broker cannot know the outcome of a
/// commit if the connection is cut around that message.
public struct Cut: Sendable {
    public enum Place: Sendable {
        /// The server gets none of the batch.
        case beforeBatch
        /// The server gets all statements but not their sync, which would commit them.
        case beforeSync
        /// The same, but the server is not told that the connection has ended: its transaction stays open.
        case beforeSyncUnnoticed
        /// The same, and the client is not told either: the connection is silent from there on.
        case beforeSyncSilently
        /// The server has committed; none of its answer is passed on.
        case afterSync
        /// The same, but the answers to the statements are passed on: only the final message is missing.
        case insideAnswer

        /// The cuts after which the client is told that its connection has ended.
        public static let noticed: [Place] = [
            .beforeBatch, .beforeSync, .beforeSyncUnnoticed, .afterSync, .insideAnswer,
        ]
    }

    let place: Place
    let statement: String?
    let also: String?

    /// - Parameters:
    ///   - place: Where to cut.
    ///   - statement: The name of a prepared statement that the transaction must have run, with this batch; any if nil.
    ///   - also: Another statement that it must have run.
    public init(_ place: Place, statement: String? = nil, with also: String? = nil) {
        self.place = place
        self.statement = statement
        self.also = also
    }

    func strikes(_ statements: Set<String>) -> Bool {
        [statement, also].allSatisfy { name in name.map { statements.contains($0) } ?? true }
    }
}
