/// Dispatch of commands.
extension Queue {
    /// A decoded command. The connection must be one that `accepts` commands now.
    public mutating func receive(_ command: Command, from id: ConnectionID, now: Instant) {
        guard isOpen(id) else { return }
        let slot = id.slot
        precondition(!connections[slot].isBlocked, "a blocked connection was given a command")
        if connections[slot].hasCountedPut {
            connections[slot].hasCountedPut = false
        } else {
            activity.commands.count(command)
        }
        if connections[slot].replies.isEmpty || command.isUnordered
            || (command.pipelinable != nil && command.pipelinable == connections[slot].pipelined)
        {
            execute(command, slot, now: now)
            conclude(now: now)
        } else {
            connections[slot].parked = command
        }
    }

    /// The caller concludes the step.
    mutating func execute(_ command: Command, _ slot: Int, now: Instant) {
        switch command {
        case .put(let job):
            put(slot, job, now: now)
        case .putUnique(let key, let job):
            put(slot, key: key, job, now: now)
        case .putTooBig:
            answer(slot, .jobTooBig)
        case .putWithoutCRLF:
            becomeProducer(slot)
            answer(slot, .expectedCRLF)
        case .reserve:
            reserve(slot, until: nil, isImpatient: false, now: now)
        case .reserveWithTimeout(let seconds):
            reserve(slot, until: seconds.map { now + .seconds($0) }, isImpatient: seconds == 0, now: now)
        case .reserveJob(let id):
            reserveJob(slot, id, now: now)
        case .delete(let id):
            delete(slot, id, now: now)
        case .release(let id, let priority, let delay):
            release(slot, id, priority: priority, delay: delay, now: now)
        case .bury(let id, let priority):
            bury(slot, id, priority: priority, now: now)
        case .touch(let id):
            touch(slot, id, now: now)
        case .peek(let id):
            peek(slot, id, now: now)
        case .peekReady:
            peekReady(slot, now: now)
        case .peekDelayed:
            peekFirst(slot, .delayed, now: now)
        case .peekBuried:
            peekFirst(slot, .buried, now: now)
        case .kick(let bound):
            kick(slot, bound: bound, now: now)
        case .kickJob(let id):
            kickJob(slot, id, now: now)
        case .statsJob(let id):
            statsJob(slot, id, now: now)
        case .use, .watch, .ignore, .pauseTube, .statsTube, .stats, .listTubes, .listTubeUsed, .listTubesWatched:
            executeOnTubes(command, slot, now: now)
        case .quit:
            connections.put(.close(id(of: slot)), for: slot)
        case .malformed, .malformedPut, .malformedPauseTube:
            answer(slot, .badFormat)
        case .unknown:
            answer(slot, .unknownCommand)
        }
    }

    private mutating func executeOnTubes(_ command: Command, _ slot: Int, now: Instant) {
        switch command {
        case .use(let name):
            use(slot, name)
        case .watch(let name):
            watch(slot, name)
        case .ignore(let name):
            ignore(slot, name, now: now)
        case .pauseTube(let name, let seconds):
            pauseTube(slot, name, seconds: seconds, now: now)
        case .statsTube(let name):
            statsTube(slot, name, now: now)
        case .stats:
            answer(slot, .broker(statsForWalks()))
        case .listTubes:
            answer(slot, .tubes(tubes.listing.map { tubes[$0].name }))
        case .listTubeUsed:
            answer(slot, .using(tubes[connections[slot].used].name))
        case .listTubesWatched:
            answer(slot, .tubes(connections[slot].watched.map { tubes[$0].name }))
        default:
            preconditionFailure("not a command on tubes")
        }
    }

    mutating func becomeProducer(_ slot: Int) {
        if !connections[slot].isProducer {
            connections[slot].isProducer = true
            connections.producers += 1
        }
    }

    mutating func becomeWorker(_ slot: Int) {
        if !connections[slot].isWorker {
            connections[slot].isWorker = true
            connections.workers += 1
        }
    }
}
