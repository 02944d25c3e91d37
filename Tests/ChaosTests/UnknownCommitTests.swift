import Foundation
import TestKit
import Testing

/// A connection is cut exactly around a commit, so that the broker cannot know its outcome. The client is told the true
/// outcome, or nothing, and its connection is closed.
@Suite struct UnknownCommitTests {
    /// A command that commits. `ID` stands for the job that was put before it.
    private struct Operation {
        var command: String
        var answer: String
        /// True if the job is reserved before the command.
        var holds = false
        /// True if the job is buried before the command.
        var buries = false
        /// The prepared statement whose transaction is cut.
        var statement: String
        /// SQL that counts how often the command was done.
        var truth: String
    }

    private static let operations = [
        Operation(
            command: "put 5 0 600 1\r\nb\r\n", answer: "INSERTED", statement: "put",
            truth: "select count(*) from jobs where tube = 'TUBE' and body = 'b'"),
        Operation(
            command: "put 5 100 600 1\r\nb\r\n", answer: "INSERTED", statement: "put",
            truth: "select count(*) from jobs where tube = 'TUBE' and state = 'delayed'"),
        Operation(
            command: "delete ID\r\n", answer: "DELETED", holds: true, statement: "delete",
            truth: "select 1 - count(*) from jobs where id = ID"),
        Operation(
            command: "delete ID\r\n", answer: "DELETED", statement: "delete",
            truth: "select 1 - count(*) from jobs where id = ID"),
        Operation(
            command: "delete ID\r\n", answer: "DELETED", buries: true, statement: "delete_unleased",
            truth: "select 1 - count(*) from jobs where id = ID"),
        Operation(
            command: "release ID 4 100\r\n", answer: "RELEASED", holds: true, statement: "change_states",
            truth: "select releases from jobs where id = ID and priority = 4 and state = 'delayed'"),
        Operation(
            command: "bury ID 3\r\n", answer: "BURIED", holds: true, statement: "change_states",
            truth: "select buries from jobs where id = ID and priority = 3 and state = 'buried'"),
        Operation(
            command: "kick 10\r\n", answer: "KICKED 1", buries: true, statement: "kick",
            truth: "select kicks from jobs where id = ID and state = 'ready'"),
        Operation(
            command: "kick-job ID\r\n", answer: "KICKED", buries: true, statement: "kick_job",
            truth: "select kicks from jobs where id = ID and state = 'ready'"),
        Operation(
            command: "pause-tube TUBE 100\r\n", answer: "PAUSED", statement: "pause",
            truth: "select count(*) from tubes where name = 'TUBE' and paused_until > now() + interval '50 seconds'"),
    ]

    /// The database is back at once: the broker looks up the outcome of the commit and answers.
    @Test(arguments: Cut.Place.noticed) func theAnswerIsTrue(_ place: Cut.Place) throws {
        let scene = try Scene()
        for operation in Self.operations {
            let job = try scene.begin(holds: operation.holds, buries: operation.buries)
            scene.database.cutNext(Cut(place, statement: "ledger", with: operation.statement))
            try job.client.send(job.fill(operation.command))
            try job.client.expectPrefix(operation.answer)
            #expect(try scene.psql(job.fill(operation.truth)) == "1", "\(operation.command)")
        }
        #expect(scene.database.cutsStruck == Self.operations.count)
        try scene.expectSoundness()
    }

    /// The database stays away: the client gets no answer, and its connection is closed.
    @Test(arguments: Cut.Place.noticed) func withoutADatabaseThereIsNoAnswer(_ place: Cut.Place) throws {
        let scene = try Scene(databaseTimeout: 2)
        for operation in Self.operations {
            let job = try scene.beginPatiently(holds: operation.holds, buries: operation.buries)
            scene.database.cutNext(Cut(place, statement: "ledger", with: operation.statement))
            // From now on the broker cannot connect to the database again.
            scene.database.faults = .refusal
            try job.client.send(job.fill(operation.command))
            try job.client.expectEOF()

            scene.database.faults = FaultProxy.Faults()
            try scene.waitForRecovery()
            // If the server got the whole batch, the command was done once. Otherwise it may have been done or not.
            let happened = try scene.psql(job.fill(operation.truth))
            let mayBeUndone = ![.afterSync, .insideAnswer].contains(place)
            #expect(happened == "1" || mayBeUndone && ["", "0"].contains(happened), "\(operation.command)")
        }
        #expect(scene.database.cutsStruck == Self.operations.count)
        try scene.expectSoundness()
    }

    /// The broker folds SQL's changes into its counts and does not learn the outcome.
    @Test(arguments: Cut.Place.noticed) func aPutBySQLIsCountedOnce(_ place: Cut.Place) throws {
        let scene = try Scene()
        let job = try scene.begin(holds: false, buries: false)
        scene.database.cutNext(Cut(place, statement: "fold_sql"))
        _ = try scene.psql("select put('\(job.tube)', 'b')")
        try eventually("the cut strikes") { scene.database.cutsStruck == 1 }
        try eventually("both jobs are counted") {
            try job.client.send("stats-tube \(job.tube)\r\n")
            return try job.client.expectOK()["current-jobs-ready"] == "2"
        }
        try scene.expectSoundness()
    }

    /// Connections of two brokers under load are cut at random moments.
    @Test func everyAnswerIsTrueUnderLoad() async throws {
        try await onThread {
            let recorder = Recorder()
            let postgres = try TestPostgres.private()
            let brokers = try (1...2).map { try Broker($0, on: postgres, schema: "chaos") }
            let load = Load(on: brokers.flatMap(\.ways), seed: 1, recorder)
            defer { load.stop() }
            load.start()
            var random = SplitMix(seed: 1)
            try eventually("the connections are cut often enough", within: 120) {
                for broker in brokers {
                    broker.database.cutNext(Cut(random.pick(Cut.Place.noticed), statement: "ledger"))
                }
                return brokers.allSatisfy { $0.database.cutsStruck >= 100 }
            }
            for broker in brokers { broker.database.cancelCuts() }
            let queue = SharedQueue(postgres: postgres, schema: "chaos", brokers: brokers)
            load.stopProducing()
            let left = try queue.drain()
            load.stop()
            for violation in Checker.violations(in: History(events: recorder.events, left: left)) {
                Issue.record("\(violation)\n\(try queue.description)")
            }
        }
    }
}

/// A broker that connects to the database through a proxy.
private final class Scene {
    let database: FaultProxy
    private let postgres: TestPostgres
    private let broker: BrokerProcess
    private let schema: String
    private var tubes = 0

    init(databaseTimeout: Int = 20) throws {
        postgres = try TestPostgres.shared()
        schema = postgres.freshSchema()
        let connectionString: String
        (database, connectionString) = try postgres.proxy()
        broker = try BrokerProcess(
            .init(database: connectionString, schema: schema, options: ["--database-timeout", "\(databaseTimeout)"]))
    }

    /// A job in its own tube, and a client that may hold it.
    struct Job {
        var client: WireClient
        var id: UInt64
        var tube: String

        func fill(_ text: String) -> String {
            text.replacing("ID", with: "\(id)").replacing("TUBE", with: tube)
        }
    }

    func begin(holds: Bool, buries: Bool) throws -> Job {
        tubes += 1
        let tube = "t\(tubes)"
        let client = try broker.connect()
        try client.send("use \(tube)\r\nwatch \(tube)\r\nput 9 0 600 1\r\na\r\n")
        try client.expect("USING \(tube)")
        try client.expect("WATCHING 2")
        let id = try client.expectInserted()
        if holds || buries {
            try client.send("reserve\r\n")
            try client.expect("RESERVED \(id) 1")
            try client.expect("a")
        }
        if buries {
            try client.send("bury \(id) 3\r\n")
            try client.expect("BURIED")
        }
        return Job(client: client, id: id, tube: tube)
    }

    /// Begins again if the database takes longer than the broker waits for it. No other answer is accepted.
    func beginPatiently(holds: Bool, buries: Bool) throws -> Job {
        for _ in 1..<5 {
            do {
                return try begin(holds: holds, buries: buries)
            } catch let error as WireMismatch where isLate(error) {
                try waitForRecovery()
            }
        }
        return try begin(holds: holds, buries: buries)
    }

    private func isLate(_ error: WireMismatch) -> Bool {
        error.description.contains("INTERNAL_ERROR") || error.description.contains("the connection was closed")
    }

    func psql(_ sql: String) throws -> String {
        try postgres.psql("set search_path to \(schema); \(sql)")
    }

    /// Waits until puts, changes and queries, each on its own connection, are answered again.
    func waitForRecovery() throws {
        try eventually("the broker serves again") {
            (try? probe()) != nil
        }
    }

    private func probe() throws {
        let client = try broker.connect()
        try client.send("use probe\r\nwatch probe\r\nput 0 0 1 1\r\np\r\nreserve-with-timeout 1\r\n")
        try client.expect("USING probe")
        try client.expect("WATCHING 2")
        try client.expectInserted()
        let (id, _) = try client.expectJob()
        try client.send("delete \(id)\r\nkick 1\r\n")
        try client.expect("DELETED")
        try client.expect("KICKED 0")
    }

    /// The counts of the tubes agree with the jobs.
    func expectSoundness() throws {
        try eventually("counts and jobs agree") {
            try psql(
                """
                select count(*) from (
                    select name, ready, delayed, buried, reserved from tubes
                    except
                    select
                        tubes.name, count(*) filter (where state = 'ready'), count(*) filter (where state = 'delayed'),
                        count(*) filter (where state = 'buried'), count(*) filter (where state = 'reserved')
                    from tubes left join jobs on jobs.tube = tubes.name group by tubes.name
                ) as wrong
                """) == "0"
        }
    }
}
