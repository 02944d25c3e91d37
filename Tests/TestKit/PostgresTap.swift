/// Follows one connection of PostgreSQL's protocol and says where to cut it.
struct PostgresTap {
    /// What is passed on to the other side.
    struct Passage {
        var bytes: [UInt8] = []
        /// Nothing is passed on after these bytes. The flags say who is told that the connection has ended.
        var cuts = false
        var tellsClient = true
        var tellsServer = true
    }

    private let control: ProxyControl
    private var fromClient = PostgresMessages(fromClient: true)
    private var fromServer = PostgresMessages(fromClient: false)
    /// What the client has sent since its last sync, and the prepared statements in it. It is held back until the sync.
    private var batch: [UInt8] = []
    private var statements: Set<String> = []
    /// The statements of its earlier batches in a transaction that is still open.
    private var begun: Set<String> = []
    /// A cut that waits for the answer to the sync.
    private var pending: Cut?
    private var isCut = false

    init(control: ProxyControl) {
        self.control = control
    }

    mutating func requests(_ bytes: [UInt8]) -> Passage {
        var passage = Passage()
        for message in fromClient.read(bytes) where !isCut {
            if let statement = message.boundStatement { statements.insert(statement) }
            guard message.type == PostgresMessage.sync || !statements.isEmpty else {
                passage.bytes += message.bytes
                continue
            }
            guard message.type == PostgresMessage.sync else {
                batch += message.bytes
                continue
            }
            let transaction = begun.union(statements)
            pending = statements.isEmpty ? nil : control.takeCut(of: transaction)
            begun =
                transaction.contains("begin") && transaction.isDisjoint(with: ["commit", "rollback"]) ? transaction : []
            switch pending?.place {
            case .beforeBatch: cut(&passage)
            case .beforeSync, .beforeSyncUnnoticed, .beforeSyncSilently:
                passage.bytes += batch
                passage.tellsServer = pending?.place == .beforeSync
                passage.tellsClient = pending?.place != .beforeSyncSilently
                cut(&passage)
            case .afterSync, .insideAnswer, nil: passage.bytes += batch + message.bytes
            }
            batch = []
            statements = []
        }
        return passage
    }

    private mutating func cut(_ passage: inout Passage) {
        isCut = true
        passage.cuts = true
    }

    mutating func answers(_ bytes: [UInt8]) -> Passage {
        var passage = Passage()
        for message in fromServer.read(bytes) where !isCut {
            guard let pending else {
                passage.bytes += message.bytes
                continue
            }
            if message.type == PostgresMessage.readyForQuery {
                // The server sends this message after the commit.
                cut(&passage)
            } else if pending.place == .insideAnswer {
                passage.bytes += message.bytes
            }
        }
        return passage
    }
}
