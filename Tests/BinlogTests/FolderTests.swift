import Foundation
import Testing

@testable import Binlog

@Suite struct FolderTests {
    @Test func takesOnlyTheNamesThatBeanstalkdWrites() {
        #expect(BinlogFolder.number(ofFile: "binlog.1") == 1)
        #expect(BinlogFolder.number(ofFile: "binlog.1234567") == 1_234_567)
        for name in ["binlog.0", "binlog.01", "binlog.-1", "binlog.+1", "binlog.", "binlog.1~", "xbinlog.1", "lock"] {
            #expect(BinlogFolder.number(ofFile: name) == nil, "\(name)")
        }
    }

    @Test func knowsAFileByItsFirstRecord() throws {
        let log = try LogWriter()
        log.write(1, .ready, body: "one")
        let first = try log.folder().signatures()
        log.write(2, .ready, body: "two").append(zeros)
        log.file = 2
        log.write(1, .ready, body: "one", created: 1001)
        log.file = 3
        log.append(zeros)
        let later = try log.folder().signatures()
        #expect(first.count == 1)
        #expect(later.count == 2, "a file without a record has none")
        #expect(later[1] == first[1])
        #expect(later[2] != later[1])
        #expect(try log.read().files.map(\.signature) == [later[1], later[2], nil])
    }

    @Test func isLockedOnce() throws {
        let log = try LogWriter()
        let folder = try log.folder()
        let lock = try folder.takeLock()
        #expect(throws: BinlogError.inUse(folder: folder.path, pid: nil)) { try folder.takeLock() }
        withExtendedLifetime(lock) {}
    }

    @Test func readsNoLinks() throws {
        let log = try LogWriter()
        try FileManager.default.createSymbolicLink(
            atPath: log.path + "/binlog.1", withDestinationPath: "/etc/passwd")
        #expect(throws: BinlogError.self) { try log.read() }
    }

    @Test func reportsAMissingFolder() {
        let error = #expect(throws: BinlogError.self) { try BinlogFolder("/tmp/no/such/folder") }
        #expect(error?.description == "Cannot open /tmp/no/such/folder: No such file or directory.")
    }
}
