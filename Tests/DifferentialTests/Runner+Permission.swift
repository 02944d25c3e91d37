import TestKit

/// Steps that are replaced in random histories, because they would only show an intended difference or a race.
extension Runner {
    /// Jobs that become ready within milliseconds of each other may become ready together in Beanrow (a listed
    /// difference), so the commands that cause it are sent apart. While a client waits, the others send one message at a
    /// time: the client's next command would race with the rest of a packet.
    func parts(of step: Step) -> [Step] {
        guard avoids, case .send(let number, let messages, _) = step, messages.count > 1 else { return [step] }
        let delaying = messages.count(where: \.delays)
        guard delaying > 1 || delaying > 0 && messages.contains(where: \.blocks) || isAnotherWaiting(than: number)
        else { return [step] }
        return messages.map { .send(number, [$0], cuts: []) }
    }

    /// The message, or one that may be sent instead.
    mutating func permitted(_ message: Message, from number: Int) -> Message {
        if let tube = message.watches { clients[number]!.watched.insert(tube) }
        if message.begins(with: "reserve-job") { clients[number]!.takesByID = true }
        let waits = clients[number]!.mayWait
        if waits { clients[number]!.ahead += 1 }
        guard avoids else { return message }
        if message.delays, waits { return "x\r\n" }
        if message.begins(with: "kick "), isAnotherWaiting(than: number) { return "kick 1\r\n" }
        if message.begins(with: "quit"), !mayLeave(number) { return "x\r\n" }
        guard message.blocks else { return message }
        // Which of two waiting clients gets a job is a listed difference.
        let watched = clients[number]!.watched
        let isAlone = clients.allSatisfy {
            $0.key == number || !$0.value.mayWait || $0.value.watched.isDisjoint(with: watched)
        }
        guard isAlone else { return "reserve-with-timeout 0\r\n" }
        clients[number]!.mayWait = true
        return message
    }

    /// True if the client may disconnect. Not while another one waits, if it may hold jobs that were delayed or buried:
    /// Beanrow releases those one commit later than others (a listed difference).
    func mayLeave(_ number: Int) -> Bool {
        !avoids || !(clients[number]!.takesByID && isAnotherWaiting(than: number))
    }

    private func isAnotherWaiting(than number: Int) -> Bool {
        clients.contains { $0.key != number && $0.value.mayWait }
    }
}
