import Foundation
import TestKit
import Testing

/// Compares what beanstalkd had with what beanrow serves after the import.
@Suite(.enabled(if: Original.isInstalled, "needs beanstalkd")) struct ContentTests {
    private let original = Original()
    private let target: Target

    init() throws {
        target = try Target()
    }

    /// Imports, starts beanrow and connects to it.
    private func moved(_ options: [String] = []) throws -> WireClient {
        original.kill9()
        let run = try target.importing(original.folder, options)
        try #require(run.code == 0, "\(run.output)")
        return try target.serve().connect()
    }

    @Test func everyFieldOfAJobIsImported() throws {
        let before = try original.start()
        let ready = try before.put("ready", "4294967295 0 4294967295")
        try before.send("use mail\r\n")
        try before.expect("USING mail")
        let delayed = try before.put("delayed", "7 1000 30")
        let buried = try before.put("buried", "8 0 40")
        let released = try before.put("released", "9 0 50")
        let kicked = try before.put("kicked", "10 0 70")
        let held = try before.put("held", "11 0 80")
        let deleted = try before.put("deleted")
        try before.reserve(buried, then: "bury \(buried) 88", "BURIED")
        try before.reserve(released, then: "release \(released) 99 2000", "RELEASED")
        for _ in 0..<2 {
            try before.reserve(kicked, then: "bury \(kicked) 10", "BURIED")
            try before.send("kick-job \(kicked)\r\n")
            try before.expect("KICKED")
        }
        try before.send("delete \(deleted)\r\n")
        try before.expect("DELETED")
        let jobs = [ready, delayed, buried, released, kicked, held]
        let asked = ContinuousClock.now
        let expected = try jobs.map { try before.statsJob($0) }
        // beanstalkd does not write reservations to its log, such as this one.
        try before.send("reserve-job \(held)\r\n")
        try before.expectJob()

        let after = try moved()
        for (id, expected) in zip(jobs, expected) {
            let actual = try after.statsJob(id)
            for key in expected.keys where !["age", "time-left", "file"].contains(key) {
                #expect(actual[key] == expected[key], "\(key) of job \(id)")
            }
            // Both are rounded down to seconds.
            let elapsed = Int((ContinuousClock.now - asked) / .seconds(1)) + 1
            let (age, left) = try (expected.number("age"), expected.number("time-left"))
            #expect(try (age...age + elapsed).contains(actual.number("age")), "age of job \(id)")
            #expect(try (left - elapsed...left).contains(actual.number("time-left")), "time-left of job \(id)")
        }
        #expect(try !after.isThere(deleted))
        try after.send("peek \(released)\r\npeek-delayed\r\nuse mail\r\npeek-delayed\r\nstats-tube mail\r\n")
        #expect(try after.expectJob("FOUND").body == "released")
        try after.expect("NOT_FOUND")
        try after.expect("USING mail")
        #expect(try after.expectJob("FOUND").id == delayed)
        try after.expectOK().expect([
            "current-jobs-urgent": "2", "current-jobs-ready": "2", "current-jobs-delayed": "2",
            "current-jobs-buried": "1",
        ])
        #expect(try after.put() == deleted + 1, "ids continue")
    }

    @Test func buriedJobsKeepTheirOrder() throws {
        let order: [UInt64] = [3, 1, 4, 2]
        try original.run { before in
            for _ in order { try before.put() }
            for id in order { try before.reserve(id, then: "bury \(id) 0", "BURIED") }
        }
        let after = try moved()
        for id in order {
            try after.send("peek-buried\r\nkick 1\r\n")
            #expect(try after.expectJob("FOUND").id == id)
            try after.expect("KICKED 1")
        }
    }

    @Test func readyJobsKeepTheirOrderAndDelaysPass() throws {
        try original.run { before in
            try before.put("second", "5 0 60")
            try before.put("third", "5 0 60")
            try before.put("first", "4 0 60")
            try before.put("later", "0 25 60")
            try before.put("passed", "9 1 60")
        }
        Thread.sleep(forTimeInterval: 1.1)
        let after = try moved()
        for body in ["first", "second", "third"] {
            try after.send("reserve-with-timeout 0\r\n")
            #expect(try after.expectJob().body == body)
        }
        var bodies: [String] = []
        for _ in 0..<2 {
            try after.send("reserve-with-timeout 60\r\n")
            bodies.append(try after.expectJob().body)
        }
        #expect(Set(bodies) == ["passed", "later"])
    }

    @Test(arguments: [0, 1, 65_533, 65_534, 65_535])
    func aBodyOfAnySizeIsImported(size: Int) throws {
        let body = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        try original.run { before in
            try before.send(Array("put 0 0 60 \(size)\r\n".utf8) + body + Array("\r\n".utf8))
            try before.expect("INSERTED 1")
            // When beanstalkd reads its log, it refuses a job of 65534 bytes and everything after it.
            try before.put("another")
        }
        let after = try moved()
        try after.send("reserve-with-timeout 0\r\n")
        try after.expect("RESERVED 1 \(size)")
        #expect(try after.readBodyBytes(size) == body)
        #expect(try after.isThere(2))
    }

    @Test func jobsThatMovedBetweenFilesAreImported() throws {
        var left: Set<UInt64> = []
        var buried: [UInt64] = []
        try original.run(["-s", "8192"]) { before in
            // beanstalkd moves the oldest jobs to newer files while most of the new jobs are deleted.
            for round in 0..<1000 {
                let body = "job \(round) " + String(repeating: "x", count: round % 300)
                let id = try before.put(body, "\(round) \(round % 7 == 0 ? 1000 : 0) 60")
                left.insert(id)
                if round % 25 == 3 {
                    try before.reserve(id, then: "bury \(id) \(round)", "BURIED")
                    buried.append(id)
                } else if round % 25 != 0 {
                    try before.send("delete \(id)\r\n")
                    try before.expect("DELETED")
                    left.remove(id)
                }
            }
        }
        #expect(try original.files.count >= 5)
        #expect(try original.files.first != "binlog.1", "beanstalkd has removed the oldest files")
        let after = try moved()
        for id: UInt64 in 1...1000 {
            #expect(try after.isThere(id) == left.contains(id), "job \(id)")
        }
        for id in left { #expect(try after.statsJob(id)["pri"] == "\(id - 1)") }
        for id in buried {
            try after.send("peek-buried\r\nkick 1\r\n")
            #expect(try after.expectJob("FOUND").id == id)
            try after.expect("KICKED 1")
        }
    }

    @Test func theJobsOfSeveralRunsAreImported() throws {
        for life in 0..<3 {
            try original.run { before in
                try before.put("of life \(life)")
                try before.put("to be buried")
                let last = try before.put("deleted")
                try before.send("delete \(last)\r\n")
                try before.expect("DELETED")
                try before.reserve(last - 1, then: "bury \(last - 1) 5", "BURIED")
            }
        }
        let after = try moved()
        try after.send("stats-tube default\r\npeek-buried\r\n")
        try after.expectOK().expect(["current-jobs-ready": "3", "current-jobs-buried": "3"])
        #expect(try after.expectJob("FOUND").id == 2)
        #expect(try after.put() > 9)
    }

    /// IMPORT_JOBS=100000 imports 100,000 jobs.
    @Test(.timeLimit(.minutes(5))) func manyJobs() throws {
        let count = ProcessInfo.processInfo.environment["IMPORT_JOBS"].flatMap { Int($0) } ?? 20_000
        try original.run { before in
            var text = ""
            for index in 0..<count { text += "put \(index % 2000) 0 60 8\r\n\(10_000_000 + index)\r\n" }
            try before.send(text)
            for index in 0..<count { try before.expect("INSERTED \(index + 1)") }
        }
        let run = try target.importing(original.folder)
        #expect(run.code == 0, "\(run.output)")
        print(run.output.split(separator: "\n").last ?? "")
        let sums = try target.value("select count(*), sum(convert_from(body, 'UTF8')::bigint), sum(id) from job")
        let (bodies, ids) = (count * 10_000_000 + count * (count - 1) / 2, count * (count + 1) / 2)
        #expect(sums == "\(count)|\(bodies)|\(ids)")
        let urgent = count / 2000 * 1024 + min(count % 2000, 1024)
        #expect(try target.value("select ready, urgent from tube_count") == "\(count)|\(urgent)")
    }
}
