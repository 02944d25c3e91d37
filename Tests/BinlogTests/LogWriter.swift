import Foundation

@testable import Binlog

/// Writes a log byte by byte, in a folder under /tmp that is removed with this object.
final class LogWriter {
    let path: String
    private var bytes: [Int: [UInt8]] = [:]
    /// The file that is being written.
    var file = 1
    var version: Format

    init(_ version: Format = .version7) throws {
        self.version = version
        path = "/tmp/beanrow-binlog-\(UUID())"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    /// Writes a record of a job in the given state: a full record in `tube` if it has a body, else a short one.
    @discardableResult
    func write(
        _ id: UInt64, _ state: Record.State, body: String? = nil, tube: String = "default", priority: UInt32 = 0,
        delay: Int64 = 0, ttr: Int64 = 60, created: Int64 = 1000, deadline: Int64 = 0, size: Int = 3,
        counts: (UInt32, UInt32, UInt32, UInt32, UInt32) = (0, 0, 0, 0, 0)
    ) -> LogWriter {
        let unit: Int64 = version == .version5 ? 1_000_000 : 1_000_000_000
        var job: [UInt8] = []
        func add(_ value: some FixedWidthInteger) {
            withUnsafeBytes(of: value.littleEndian) { job.append(contentsOf: $0) }
        }
        let name = body == nil ? "" : tube
        if version == .version5 { add(UInt64(name.utf8.count)) } else { add(Int32(name.utf8.count)) }
        job += name.utf8
        add(id)
        add(priority)
        add(UInt32(0))
        add(delay * unit)
        add(ttr * unit)
        add(Int32((body?.utf8.count ?? size) + 2))
        add(UInt32(0))
        add(created * unit)
        add(deadline * unit)
        for count in [counts.0, counts.1, counts.2, counts.3, counts.4] { add(count) }
        job.append(state.rawValue)
        if version == .version7 { job += [0, 0, 0] }
        if let body { job += Array((body + "\r\n").utf8) }
        append(job)
        return self
    }

    func append(_ new: [UInt8]) {
        let header = withUnsafeBytes(of: version.rawValue.littleEndian) { Array($0) }
        bytes[file, default: header] += new
    }

    func set(_ new: [UInt8]) { bytes[file] = new }

    /// Bytes written to the current file.
    var count: Int { bytes[file]?.count ?? 0 }

    func overwrite(at place: Int, _ new: [UInt8]) { bytes[file]!.replaceSubrange(place..<place + new.count, with: new) }

    func cut(to count: Int) { bytes[file] = Array(bytes[file]!.prefix(count)) }

    func folder() throws -> BinlogFolder {
        for (number, bytes) in bytes {
            try Data(bytes).write(to: URL(fileURLWithPath: "\(path)/binlog.\(number)"))
        }
        return try BinlogFolder(path)
    }

    /// Reads the log. `now` is in seconds since 1970.
    func read(now: Int64 = 2000) throws -> BinlogContents {
        try BinlogContents(reading: folder(), now: now * 1_000_000_000)
    }
}

extension BinlogContents {
    var ids: [UInt64] { jobs.map(\.id) }

    func job(_ id: UInt64) -> BinlogJob? { jobs.first { $0.id == id } }

    /// Ids of the buried jobs in the order of their burial.
    var buried: [UInt64] {
        jobs.filter { $0.state == .buried }.sorted { $0.buryOrder < $1.buryOrder }.map(\.id)
    }

    func body(_ id: UInt64) throws -> String? {
        try job(id).map { String(decoding: try BodyReader(self).body(of: $0), as: UTF8.self) }
    }
}

let zeros = [UInt8](repeating: 0, count: 5000)
