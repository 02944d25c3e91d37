import AdminAPI

/// The screens of holders, brokers, clients and warnings.
extension Top {
    func holdersBody(_ list: ListScreen<JobSummary>) -> [Line] {
        let title = section("Jobs that somebody has", "the longest held first")
        guard let jobs = list.entries else { return [title] }
        guard !jobs.isEmpty else { return [title] + nothing("Nobody has a job.") }
        var table = Table(
            [
                .init("job", isRight: true, least: 5), .init("tube", least: 8, most: 30, cutsMiddle: true),
                .init("since", isRight: true, least: 6), .init("left", isRight: true, least: 6),
                .init("res", isRight: true, rank: 1), .init("holder", least: 10),
            ], flexible: 5)
        let (first, shown) = shown(jobs, list.cursor)
        for job in shown {
            table.add([
                "\(job.id)", Cells.clean(job.tube), age(job.reservedAt), left(job), "\(job.reserves)",
                job.holder?.sentence ?? "-",
            ])
        }
        return [title] + tableBody(table, cursor: list.cursor, first: first)
    }

    func brokersBody(_ list: ListScreen<BrokerEntry>) -> [Line] {
        let title = section("Brokers")
        guard let brokers = list.entries else { return [title] }
        guard !brokers.isEmpty else { return [title] + nothing("No broker is registered.") }
        var table = Table(
            [
                .init("epoch", isRight: true), .init("host", least: 8, most: 40), .init("process", isRight: true),
                .init("state", least: 6), .init("heartbeat", isRight: true, rank: 1), .init("up", isRight: true),
                .init("", least: 4, rank: 2),
            ], flexible: 1)
        let (first, shown) = shown(brokers, list.cursor)
        for broker in shown {
            table.add([
                Line("\(broker.epoch)"), Line(Cells.clean(broker.host)), Line("\(broker.pid)"),
                Line(
                    broker.isAlive ? (broker.isSole ? "alive, sole" : "alive") : "silent",
                    broker.isAlive ? .plain : .alarm),
                Line("\(age(broker.heartbeatAt)) ago"), Line(age(broker.startedAt)),
                Line(broker.isThis ? "answers here" : ""),
            ])
        }
        return [title] + tableBody(table, cursor: list.cursor, first: first)
    }

    func clientsBody(_ list: ListScreen<ClientEntry>) -> [Line] {
        let title = section(
            "\(Figures.grouped(list.total)) client\(list.total == 1 ? "" : "s")", "of the broker that answers")
        guard let clients = list.entries else { return [section("Clients")] }
        guard !clients.isEmpty else { return [title] + nothing("No client is connected.") }
        var table = Table(
            [
                .init("address", least: 15, most: 45), .init("role", least: 8), .init("holds", isRight: true),
                .init("up", isRight: true, least: 6), .init("idle", isRight: true, least: 6),
                .init("uses", least: 7, most: 20, rank: 1, cutsMiddle: true), .init("watches", least: 7, rank: 2),
            ], flexible: 6)
        let (first, shown) = shown(clients, list.cursor)
        for client in shown {
            let roles = [client.isProducer ? "producer" : nil, client.isWorker ? "worker" : nil].compactMap { $0 }
            table.add([
                Cells.clean(client.address),
                client.isWaiting ? "waiting" : roles.isEmpty ? "-" : roles.joined(separator: ", "),
                Figures.count(client.held), Figures.age(client.connectedSeconds), Figures.age(client.idleSeconds),
                Cells.clean(client.using), Cells.clean(client.watching.joined(separator: " ")),
            ])
        }
        return [title] + tableBody(table, cursor: list.cursor, first: first)
    }

    func warningsBody(_ list: ListScreen<WarningEntry>) -> [Line] {
        let title = section("Warnings", "what an operator should look into")
        guard let warnings = list.entries else { return [title] }
        guard !warnings.isEmpty else { return [title] + nothing("There is none.") }
        var table = Table(
            [
                .init("warning", least: 12, most: 24), .init("object", least: 8, most: 30, cutsMiddle: true),
                .init("for", isRight: true, least: 6, rank: 2), .init("amount", isRight: true, rank: 1),
                .init("what to do", least: 10),
            ], flexible: 4)
        let (first, shown) = shown(warnings, list.cursor)
        for warning in shown {
            let amount = warning.amount.map { Figures.count(Int($0)) + (warning.unit.map { " \($0)" } ?? "") } ?? "-"
            table.add([
                Line(Cells.clean(warning.warning), .alarm), Line(Cells.clean(warning.object)), Line(age(warning.since)),
                Line(Cells.clean(amount)), Line(Cells.clean(warning.hint)),
            ])
        }
        // The hint of the row under the cursor, whole.
        var lines = [title] + tableBody(table, cursor: list.cursor, first: first)
        if let hint = list.selected?.hint, !isSnapshot, shown.count + 3 < rowsHeight {
            lines += [Line()] + Cells.wrap(Cells.clean(hint), size.width - 4).map { Line("   " + $0) }
        }
        return lines
    }
}
