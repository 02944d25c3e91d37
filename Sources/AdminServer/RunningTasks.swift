import Synchronization

/// Tasks that go on after the request that began them.
final class RunningTasks: Sendable {
    private struct State {
        var next = 0
        var tasks: [Int: Task<Void, Never>] = [:]
        var isStopped = false
    }

    private let state = Mutex(State())

    /// Whether there are any.
    var isEmpty: Bool { state.withLock { $0.tasks.isEmpty } }

    func add(_ body: @escaping @Sendable () async -> Void) {
        state.withLock { state in
            guard !state.isStopped else { return }
            let number = state.next
            state.next += 1
            state.tasks[number] = Task { [weak self] in
                await body()
                self?.remove(number)
            }
        }
    }

    /// Cancels them, and waits for none: what they do in the database is whole transactions.
    func stop() {
        let tasks = state.withLock { state in
            state.isStopped = true
            return Array(state.tasks.values)
        }
        for task in tasks { task.cancel() }
    }

    private func remove(_ number: Int) {
        state.withLock { _ = $0.tasks.removeValue(forKey: number) }
    }
}
