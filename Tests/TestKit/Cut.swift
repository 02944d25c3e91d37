/// A place in PostgreSQL's protocol where a `FaultProxy` ends a connection, towards both sides.
///
/// A broker sends its statements in a pipeline whose sync message commits them, so around that message lies what a
/// broker cannot know.
public struct Cut: Sendable {
    public enum Place: Sendable {
        /// The server gets nothing of it.
        case beforeBatch
        /// The server gets all statements but not their sync, which would commit them.
        case beforeSync
        /// The same, but the server does not hear that the connection has ended: its transaction stays open.
        case beforeSyncUnnoticed
        /// The same, and the client does not hear of it either: the connection is silent from there on.
        case beforeSyncSilently
        /// The server has committed; nothing of its answer comes through.
        case afterSync
        /// The same, but the answers to the statements come through: what is missing is that all is done.
        case insideAnswer

        /// Those after which the client hears that its connection has ended.
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
    ///   - also: Another one that it must have run.
    public init(_ place: Place, statement: String? = nil, with also: String? = nil) {
        self.place = place
        self.statement = statement
        self.also = also
    }

    func strikes(_ statements: Set<String>) -> Bool {
        [statement, also].allSatisfy { name in name.map { statements.contains($0) } ?? true }
    }
}
