extension ClientLedger {
    /// Reserves and deletes all jobs of the server and compares them with the clients' replies. Throws the differences.
    public func check(on server: BrokerProcess) throws {
        let found = try takeAll(from: server)
        var wrong = violations
        for (id, body) in inserted where found[id] != nil && found[id] != body {
            wrong.append("job \(id) has the body of another one")
        }
        let risen = deleted.intersection(found.keys)
        if !risen.isEmpty { wrong.append("these were deleted: \(risen)") }
        // A job whose put was not answered may exist, once.
        let strange = Set(found.filter { inserted[$0.key] == nil }.map(\.value)).subtracting(unanswered)
        if !strange.isEmpty { wrong.append("nobody has put these: \(strange)") }
        if Set(found.values).count != found.count { wrong.append("a body is there twice") }
        if inserted.count <= 100 || deleted.count <= 100 { wrong.append("the load was too small to mean something") }
        guard wrong.isEmpty else { throw WireMismatch(wrong.joined(separator: "\n")) }
    }

    /// Reserves and deletes everything; throws if an acknowledged job is missing or comes twice.
    private func takeAll(from server: BrokerProcess) throws -> [UInt64: String] {
        let client = try server.connect()
        var found: [UInt64: String] = [:]
        var missing = mustBeThere
        // A dead broker's reservations end only after it was declared dead.
        var deadline = Deadline(after: patience)
        repeat {
            let before = found.count
            try takeReady(client, &found)
            missing.subtract(found.keys)
            if found.count > before { deadline = Deadline(after: patience) }
            guard deadline.millisecondsLeft > 0 else {
                let some = try missing.sorted().prefix(10).map { "\($0), \(try describe($0, client))" }
                throw WireMismatch("\(missing.count) acknowledged jobs are not handed out: \(some)")
            }
            pause(milliseconds: 10)
        } while !missing.isEmpty
        // No job is left. Changes of other brokers are counted a little later.
        for state in ["ready", "reserved", "delayed", "buried"] {
            try server.waitUntil("current-jobs-\(state)", is: 0)
        }
        return found
    }

    /// Reserves and deletes until no job is ready.
    private func takeReady(_ client: WireClient, _ found: inout [UInt64: String]) throws {
        while true {
            try client.send("reserve-with-timeout 0\r\n")
            let line = try client.readLine()
            if line == "TIMED_OUT" { return }
            let parts = line.split(separator: " ")
            guard parts.count == 3, parts[0] == "RESERVED", let id = UInt64(parts[1]), let size = Int(parts[2])
            else { throw WireMismatch("expected a job, got \(line)") }
            guard found.updateValue(try client.readBody(size), forKey: id) == nil else {
                throw WireMismatch("job \(id) was handed out twice")
            }
            try client.send("delete \(id)\r\n")
            try client.expect("DELETED")
        }
    }

    private func describe(_ id: UInt64, _ client: WireClient) throws -> String {
        try client.send("stats-job \(id)\r\n")
        let line = try client.readLine()
        guard line.hasPrefix("OK "), let size = Int(line.dropFirst(3)) else { return line }
        return try client.readBody(size)
    }
}
