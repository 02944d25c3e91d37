import TestKit
import Testing

/// Logs that are damaged or were not written completely.
@Suite(.enabled(if: Original.isInstalled, "needs beanstalkd")) struct DamageTests {
    private let original = Original()
    private let target: Target

    init() throws {
        target = try Target()
        // Ten jobs in each file but the last.
        try original.run(["-s", "4096"]) { before in
            for number in 1...22 { try before.put("job \(number) " + String(repeating: "x", count: 250)) }
        }
        try #require(original.files == ["binlog.1", "binlog.2", "binlog.3"])
    }

    private func refused() throws -> String {
        let run = try target.importing(original.folder)
        #expect(run.code == 1)
        #expect(run.output.contains("nothing of it was imported"))
        #expect(try target.value("select count(*) from job") == "0")
        #expect(try target.value("select count(*) from import") == "0")
        return run.output
    }

    private func salvaged() throws -> [Int] {
        let run = try target.importing(original.folder, ["--salvage"])
        #expect(run.code == 0, "\(run.output)")
        #expect(run.output.contains("warning"))
        return try target.value("select id from job order by id").split(separator: "\n").compactMap { Int($0) }
    }

    /// The offset of the last record of a file, which begins with the length of its tube's name.
    private func lastRecord(of file: String) throws -> Int {
        let bytes = try original.bytes(of: file)
        let mark = [7, 0, 0, 0] + Array("default".utf8)
        return try #require(bytes.indices.last { bytes[$0...].starts(with: mark) })
    }

    @Test func aTornTailIsLeftOut() throws {
        let start = try lastRecord(of: "binlog.3")
        try original.replace("binlog.3", by: Array(original.bytes(of: "binlog.3").prefix(start + 50)))
        let run = try target.importing(original.folder)
        #expect(run.code == 0)
        #expect(run.output.contains("was not written to its end"))
        #expect(try target.value("select count(*), max(id) from job") == "21|21")
        #expect(try target.value("select remarks like 'binlog.3:%' from import") == "t")
    }

    @Test func aRecordCutByAKillIsLeftOut() throws {
        let start = try lastRecord(of: "binlog.3")
        var bytes = try original.bytes(of: "binlog.3")
        for index in (start + 150)..<bytes.count { bytes[index] = 0 }
        try original.replace("binlog.3", by: bytes)
        #expect(try target.importing(original.folder).code == 0)
        #expect(try target.value("select count(*), max(id) from job") == "21|21")
    }

    @Test func anOlderFileThatIsCutShortIsRefused() throws {
        let start = try lastRecord(of: "binlog.2")
        try original.replace("binlog.2", by: Array(original.bytes(of: "binlog.2").prefix(start + 50)))
        let output = try refused()
        #expect(output.contains("at byte \(start) there is an end of the file inside"))
        #expect(output.contains("imports these 21 jobs"))
        #expect(try salvaged().count == 21)
    }

    @Test func garbageInTheMiddleIsRefused() throws {
        var bytes = try original.bytes(of: "binlog.1")
        for index in 1000..<1100 { bytes[index] = 0xA5 }
        try original.replace("binlog.1", by: bytes)
        let output = try refused()
        #expect(output.contains("binlog.1: 2 records; at byte"))
        #expect(output.contains("all read"))
        let jobs = try salvaged()
        #expect(jobs.prefix(2) == [1, 2])
        #expect(jobs.last == 22)
        #expect(jobs.count == 14)
    }

    @Test func anUnknownVersionIsRefused() throws {
        var bytes = try original.bytes(of: "binlog.2")
        bytes[0] = 8
        try original.replace("binlog.2", by: bytes)
        #expect(try refused().contains("the unknown format version 8"))
        #expect(try !salvaged().isEmpty)
    }

    @Test func aMissingFileIsRefused() throws {
        _ = try runProgram("/bin/rm", ["-f", original.folder + "/binlog.2"])
        #expect(try refused().contains("binlog.2: missing"))
        #expect(try salvaged().last == 22)
    }

    @Test func aFolderWithoutALogIsRefused() throws {
        let run = try target.importing("/usr")
        #expect(run.code == 1)
        #expect(run.output.contains("There is no binlog of beanstalkd"))
    }
}
