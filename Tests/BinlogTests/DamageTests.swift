import Testing

@testable import Binlog

@Suite struct DamageTests {
    private let log: LogWriter
    /// Where the second of two records starts.
    private let second: Int

    init() throws {
        log = try LogWriter()
        log.write(1, .ready, body: "one")
        second = log.count
        log.write(2, .ready, body: "two")
    }

    private func end(_ number: Int = 1) throws -> BinlogFile.End {
        try #require(try log.read().files.first { $0.number == number }).end
    }

    // MARK: Torn

    @Test func aRecordCutAnywhereIsLeftOut() throws {
        for count in stride(from: log.count - 1, to: second, by: -1) {
            log.cut(to: count)
            let contents = try log.read()
            #expect(contents.ids == [1], "cut to \(count)")
            guard case .torn(second, _) = contents.files[0].end else {
                Issue.record("cut to \(count): \(contents.files[0].end)")
                continue
            }
            #expect(!contents.isDamaged)
        }
        log.cut(to: second)
        #expect(try end() == .complete)
    }

    @Test func aRecordThatWasNotWrittenToItsEndIsLeftOut() throws {
        let whole = log.count
        log.append(zeros)
        for count in stride(from: whole - 1, to: second, by: -1) {
            log.overwrite(at: count, [0])
            let contents = try log.read()
            #expect(contents.ids == [1], "written to \(count)")
            #expect(!contents.isDamaged, "written to \(count): \(contents.files[0].end)")
        }
    }

    @Test func aTornRecordInAnOlderFileIsLeftOut() throws {
        log.append(zeros)
        log.overwrite(at: second + 40, [UInt8](repeating: 0, count: 60))
        log.file = 2
        log.write(3, .ready, body: "tri")
        let contents = try log.read()
        #expect(contents.ids == [1, 3])
        guard case .torn = contents.files[0].end else {
            Issue.record("\(contents.files[0].end)")
            return
        }
    }

    @Test(arguments: [0, 2, 4096])
    func aFileThatWasJustBeingMade(size: Int) throws {
        log.file = 2
        log.set([UInt8](repeating: 0, count: size))
        #expect(try end(2) == .empty)
        log.file = 3
        log.write(3, .ready, body: "tri")
        #expect(try end(2) == .empty, "and beanstalkd was started again")
        #expect(try !log.read().isDamaged)
    }

    // MARK: Damaged

    @Test func anOlderFileThatWasCutShort() throws {
        log.cut(to: log.count - 1)
        log.file = 2
        log.write(3, .ready, body: "tri")
        let contents = try log.read()
        #expect(contents.ids == [1, 3], "what can be read")
        guard case .damaged(second, _) = contents.files[0].end else { throw Unexpected(end: contents.files[0].end) }
        #expect(contents.isDamaged)
        #expect(contents.files[0].remark?.contains("at byte \(second) there is an end of the file") == true)
    }

    /// An offset in the second record, bytes that are invalid there, and the message about them.
    @Test(arguments: [
        (0, [0xff, 0xff, 0xff, 0x7f], "a tube's name of 2147483647 bytes"),
        (0, [0xff, 0xff, 0xff, 0xff], "a tube's name of -1 bytes"),
        (4, [0x20], "an invalid name of a tube"),
        (4, [0x2d], "an invalid name of a tube"),
        (11, [0, 0, 0, 0, 0, 0, 0, 0], "a job without an id"),
        (18, [0x80], "the id"),
        (27, [0, 0, 0, 0, 0, 0, 0, 0x40], "a delay or a TTR"),
        (43, [0, 0, 0, 0], "a body of 0 bytes"),
        (43, [0, 0, 0, 0x80], "a body of -2147483648 bytes"),
        (87, [5], "the state 5"),
        (87, [0], "a deleted job with a body"),
        (94, [0x20], "the body of job 2, which does not end with CRLF"),
    ])
    func garbageInTheMiddle(place: Int, bytes: [Int], what: String) throws {
        log.write(3, .ready, body: "tri")
        log.overwrite(at: second + place, bytes.map { UInt8($0) })
        let contents = try log.read()
        #expect(contents.ids == [1])
        #expect(contents.files[0].records == 1)
        guard case .damaged(second, let found) = contents.files[0].end else {
            throw Unexpected(end: contents.files[0].end)
        }
        #expect(found.hasPrefix(what))
    }

    @Test func aBodyLongerThanTheFile() throws {
        log.overwrite(at: second + 43, [0, 0, 0, 0x7f])
        log.file = 2
        log.write(3, .ready, body: "tri")
        guard case .damaged(second, _) = try end() else { throw Unexpected(end: try end()) }
    }

    @Test func aJobThatChangesItsSize() throws {
        log.write(1, .buried, size: 4)
        guard case .damaged(_, let what) = try end() else { throw Unexpected(end: try end()) }
        #expect(what.hasPrefix("another size for job 1"))
    }

    @Test(arguments: [0, 6, 8])
    func anUnknownVersion(version: UInt8) throws {
        log.overwrite(at: 0, [version])
        guard case .damaged(0, let what) = try end() else { throw Unexpected(end: try end()) }
        #expect(what == "the unknown format version \(version)")
    }

    @Test func anotherByteOrder() throws {
        log.overwrite(at: 0, [0, 0, 0, 7])
        guard case .damaged(0, let what) = try end() else { throw Unexpected(end: try end()) }
        #expect(what.contains("byte order"))
    }

    @Test func aMissingFile() throws {
        log.file = 3
        log.write(3, .ready, body: "tri")
        #expect(try end(2) == .missing)
        #expect(try log.read().isDamaged)
    }
}

private struct Unexpected: Error {
    let end: BinlogFile.End
}
