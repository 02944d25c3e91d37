import Testing

/// The checker finds the violations in invented histories, and none in correct ones.
@Suite struct CheckerTests {
    private let body = Body(token: 1, ttr: 5, size: 40)

    @Test func aCorrectHistoryPasses() {
        let steps =
            put + take(2) + on(2, .sent(.release(7)), .got(.done))
            + take(3) + on(3, .sent(.touch(7)), .got(.done), .sent(.delete(7)), .got(.done))
            + on(2, .sent(.peek(7)), .got(.notFound), .sent(.reserve), .got(.nothing))
        #expect(found(steps) == [])
    }

    @Test func aLostJobIsFound() {
        #expect(found(put) == [.lost])
        #expect(found(put + take(2) + on(2, .closed)) == [.lost])
        // A job that was seen must exist, too, although its put was never answered.
        #expect(found(unansweredPut + take(2) + bury) == [.lost])
        // A delete that was refused does not count.
        #expect(found(put + take(2) + on(2, .sent(.delete(7)), .got(.refused))) == [.lost])
    }

    @Test func aCommandWithoutAnAnswerMayBeDoneOrNot() {
        #expect(found(unansweredPut) == [])
        #expect(found(put + take(2) + on(2, .sent(.delete(7)), .closed)) == [])
        #expect(found(put + take(2) + on(2, .sent(.delete(7)))) == [])
    }

    @Test func aJobThatIsLeftIsFound() {
        #expect(found(put, left: body) == [.left])
    }

    @Test func aDoubledPutIsFound() {
        let second = take(3, id: 8) + on(3, .sent(.delete(8)), .got(.done))
        #expect(found(put + take(2) + delete + second) == [.doubled])
    }

    @Test func aSecondDeletionIsFound() {
        #expect(found(put + take(2) + delete + delete) == [.doublyDeleted])
    }

    @Test func aDeliveryAfterDELETEDIsFound() {
        let deleted = put + take(2) + delete
        #expect(found(deleted) == [])
        #expect(found(deleted + take(3)) == [.resurrected])
        #expect(found(deleted + on(2, .sent(.peek(7)), .got(.found(7)))) == [.resurrected])
        #expect(found(deleted, left: body) == [.resurrected])
    }

    /// The reserve was already sent: the job may have been given out before it was deleted.
    @Test func aDeliveryThatMayHaveComeFirstIsAllowed() {
        let early = on(3, .opened(broker: 3), .sent(.reserve))
        #expect(found(put + early + take(2) + delete + on(3, .got(.reserved(7, body)))) == [])
    }

    @Test func confirmedHoldsThatOverlapAreFound() {
        let released = on(2, .sent(.release(7)), .got(.done))
        let deleted = on(3, .sent(.delete(7)), .got(.done))
        #expect(found(put + take(2) + released + take(3) + deleted) == [])
        #expect(found(put + take(2) + take(3) + released + deleted) == [.overlapping])
    }

    /// Without a confirmation a hold is certain only as long as its broker is known to be alive.
    @Test func overlappingHoldsOfLivingBrokersAreFound() {
        let steps =
            put + take(2, at: 1) + take(3, at: 2) + on(2, .closed) + on(3, .sent(.delete(7)), .got(.done))
        #expect(found(steps) == [])
        #expect(found(steps + seen((0.5, 77), (2.5, 77))) == [.overlapping])
        // It may have been declared dead just before the second client came.
        #expect(found(steps + seen((0.5, 77), (1.5, 77))) == [])
        #expect(found(steps + seen((0.5, 77), (2.5, 78))) == [])
    }

    @Test func aHoldEndsWithItsTimeToRun() {
        let alive = seen((0.5, 77), (9, 77))
        let end = take(3, at: 6.5) + on(3, .sent(.delete(7)), .got(.done))
        let touched = on(2, at: 3, .sent(.touch(7)), .got(.done))
        #expect(found(alive + put + take(2, at: 1) + end) == [])
        #expect(found(alive + put + take(2, at: 1) + touched + end) == [.overlapping])
    }

    @Test func aHoldOfASilencedClientIsNotCertain() {
        let alive = seen((0.5, 77), (9, 77))
        let end = take(3, at: 2) + on(3, .sent(.delete(7)), .got(.done))
        #expect(found(alive + put + take(2, at: 1) + on(0, .silenced(proxy: 3)) + end) == [.overlapping])
        #expect(found(alive + put + take(2, at: 1) + on(0, .silenced(proxy: 2)) + end) == [])
    }

    /// A broker that is alive may have closed the connection because of the open command, at an unknown time.
    @Test func aHoldIsCertainUntilTheOpenCommandOfALostConnection() {
        let alive = seen((0.5, 77), (9, 77))
        let other = take(3, at: 2) + on(3, .sent(.delete(7)), .got(.done))
        let open = on(2, .sent(.delete(8)))
        #expect(found(alive + put + take(2, at: 1) + open + other + on(2, .lost)) == [])
        #expect(found(alive + put + take(2, at: 1) + open + other + on(2, .closed)) == [.overlapping])
        #expect(found(alive + put + take(2, at: 1) + other + on(2, .lost)) == [.overlapping])
        #expect(found(alive + put + take(2, at: 1) + other + open + on(2, .lost)) == [.overlapping])
    }

    /// Its connections are closed before its jobs are released, as `BrokersTests` shows at the sockets.
    @Test func aHoldOfABrokerThatEndsIsNotCertain() {
        let alive = seen((0.5, 77), (9, 77))
        let end = take(3, at: 2) + on(3, .sent(.delete(7)), .got(.done))
        #expect(found(alive + put + take(2, at: 1) + on(0, .ending(broker: 3)) + end) == [.overlapping])
        #expect(found(alive + put + take(2, at: 1) + on(0, .ending(broker: 2)) + end) == [])
    }

    @Test func aWrongBodyIsFound() {
        #expect(found(put + take(2, text: "nobody's") + delete) == [.wrongBody])
        #expect(found(put + take(2, text: body.text + "x") + delete) == [.wrongBody])
        let other = Body(token: 2, ttr: 5, size: 40)
        let second = on(1, .sent(.put(other)), .got(.inserted(8)))
        #expect(found(put + second + take(2, text: other.text) + delete).contains(.wrongBody))
    }

    @Test func aRefusedCommandThatWasDoneIsFound() {
        let refused = on(1, .opened(broker: 1), .sent(.put(body)), .got(.refused))
        #expect(found(refused) == [])
        #expect(found(refused + take(2) + delete) == [.refusedYetDone])
    }

    @Test func aFalseAnswerIsFound() {
        #expect(
            found(put + take(2) + on(2, .sent(.delete(7)), .got(.notFound), .sent(.delete(7)))) == [.falseAnswer])
        // Its time to run is over.
        let late = on(2, at: 9, .sent(.delete(7)), .got(.notFound), .sent(.delete(7)))
        #expect(found(put + take(2) + late) == [])
        #expect(found(on(1, .opened(broker: 1), .sent(.reserve), .got(.unexpected("BURIED")))) == [.falseAnswer])
    }

    @Test func onlyTheExactTextOfABodyIsRecognized() {
        for size in [0, 40, 3000] {
            let body = Body(token: 12, ttr: 3, size: size)
            #expect(Body(body.text) == body)
            #expect(Body(String(body.text.dropLast())) == nil)
        }
        #expect(Body("12 3 9999999999 job") == nil)
        #expect(Body("") == nil)
    }

    // MARK: Making histories

    /// An event on a connection.
    private struct Step {
        /// 10 ms after the previous event by default.
        var time: Double?
        var connection: Int
        var what: Event.What
    }

    private func on(_ connection: Int, at time: Double? = nil, _ events: Event.What...) -> [Step] {
        events.enumerated().map { Step(time: $0 == 0 ? time : nil, connection: connection, what: $1) }
    }

    /// Client 1 puts job 7.
    private var put: [Step] { on(1, .opened(broker: 1), .sent(.put(body)), .got(.inserted(7))) }
    private var unansweredPut: [Step] { on(1, .opened(broker: 1), .sent(.put(body)), .closed) }

    /// A client, with a broker and a proxy of its own, reserves a job.
    private func take(_ client: Int, id: UInt64 = 7, at time: Double? = nil, text: String? = nil) -> [Step] {
        let body = text.map { Body($0) } ?? body
        return on(
            client, at: time, .opened(broker: Int32(client), proxy: client), .sent(.reserve),
            .got(.reserved(id, body)))
    }

    private var delete: [Step] { on(2, .sent(.delete(7)), .got(.done)) }
    private var bury: [Step] { on(2, .sent(.bury(7)), .got(.done)) }

    /// Client 2's broker was seen alive at these times with these epochs.
    private func seen(_ sightings: (time: Double, epoch: Int64)...) -> [Step] {
        sightings.flatMap { on(0, at: $0.time, .seen(broker: 2, epoch: $0.epoch)) }
    }

    private func found(_ steps: [Step], left: Body? = nil) -> [Violation.Kind] {
        var history = History()
        var time = 0.0
        for step in steps {
            if case .seen = step.what {
                history.events.append(Event(time: step.time!, connection: 0, what: step.what))
                continue
            }
            time = step.time ?? time + 0.01
            history.events.append(Event(time: time, connection: step.connection, what: step.what))
        }
        history.left = left.map { [.init(id: 7, body: $0)] } ?? []
        return Checker.violations(in: history).map(\.kind)
    }
}
