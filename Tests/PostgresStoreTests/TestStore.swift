import Logging
import TestKit

@testable import PostgresStore
@testable import QueueCore

/// A whole store with a `FakeClient`.
final class TestStore {
    let client = FakeClient()
    private let store: Store
    private var isStopped = false

    init(_ configuration: StoreConfiguration) async throws {
        let store = Store(configuration: configuration, client: client, logger: .quiet)
        self.store = store
        client.endSole = { [unowned client, unowned store] epoch in
            var batch = WriteBatch(epoch: epoch)
            batch.endsSole = true
            client.give(batch)
            store.wake(for: .puts)
        }
        _ = try await store.start()
    }

    deinit {
        stop()
    }

    func stop() {
        guard !isStopped else { return }
        isStopped = true
        store.stop(within: patience)
    }

    var epoch: Int64 {
        get throws { try client.attachments().last!.epoch }
    }

    /// Puts jobs of a tube and waits for the commit.
    func put(_ ids: ClosedRange<JobID>, tube: TubeID, priority: UInt32 = 0) throws {
        var batch = WriteBatch(epoch: try epoch)
        batch.puts = ids.map {
            Put(
                id: $0, tube: tube, job: NewJob(priority: priority, delay: 0, ttr: 1, body: []), isLeased: false,
                tubeSlot: 0, ticket: .some, issued: Instant(nanoseconds: 0))
        }
        client.give(batch)
        store.wake(for: .puts)
        let outcomes = try client.outcome().map(\.outcome)
        guard outcomes == [.committed] else { throw WireMismatch("put: \(outcomes)") }
    }

    func ask(_ queries: [Query]) throws -> [Answer] {
        client.give(queries, epoch: try epoch)
        store.wake(for: .queries)
        return try client.answers(queries.count)
    }

    func tell(_ fill: (inout Notices) -> Void) throws {
        var notices = Notices()
        notices.epoch = try epoch
        fill(&notices)
        client.give(notices)
        store.wake(for: .notices)
    }

    /// Asks for ids, and returns all that have come once there are `total`.
    func fetchIDs(_ count: Int, total: Int) throws -> [ClosedRange<JobID>] {
        client.wantIDs(count)
        store.wake(for: .ids)
        return try client.fetchedIDs(total)
    }
}

/// A keeper alone, with a `FakeClient`.
final class TestKeeper {
    let client = FakeClient()
    private let keeper: Keeper

    init(_ configuration: StoreConfiguration) throws {
        keeper = Keeper(configuration, client, CurrentServer(), writers: [], .quiet) { _ in }
        keeper.start()
        _ = try client.attachments()
    }

    deinit {
        precondition(keeper.stop(within: patience), "the keeper has not ended")
    }

    func wake() { keeper.bell.ring() }
}
