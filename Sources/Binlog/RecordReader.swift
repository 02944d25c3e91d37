/// Reads the records of one file, up to its end or to the place where it is damaged.
final class RecordReader {
    enum Step {
        case record(Record)
        case end(BinlogFile.End)
    }

    let file: FileReader
    /// The last file of the log may end inside a record, which beanstalkd was writing.
    private let isNewest: Bool
    private(set) var format: Format?
    /// A hash of the first record.
    private(set) var signature: Int64?

    init(_ file: FileReader, isNewest: Bool) {
        self.file = file
        self.isNewest = isNewest
    }

    func next() throws -> Step {
        if let format { return try record(format) }
        let header = try file.peek(4)
        // beanstalkd fills a file with zeros before it writes the header.
        if header.allSatisfy({ $0 == 0 }), try file.endOfData(from: 0) == 0 { return .end(.empty) }
        guard header.count == 4 else { return .end(.damaged(at: 0, "no header")) }
        let version = Int32(littleEndian: header.loadUnaligned(as: Int32.self))
        guard let format = Format(rawValue: version) else {
            let isForeign = Format(rawValue: version.byteSwapped) != nil
            return .end(
                .damaged(
                    at: 0, isForeign ? "the byte order of another machine" : "the unknown format version \(version)"))
        }
        self.format = format
        file.skip(4)
        return try record(format)
    }

    private func record(_ format: Format) throws -> Step {
        let start = file.position
        let lengthBytes = try file.peek(format.lengthSize)
        guard lengthBytes.count == format.lengthSize else { return try cut(start, "the length of a tube's name") }
        let length = format.length(lengthBytes)
        guard 0...Int64(Format.longestName) ~= length else {
            return .end(.damaged(at: start, "a tube's name of \(length) bytes"))
        }
        let jobStart = format.lengthSize + Int(length)
        let head = try file.peek(jobStart + format.jobSize)
        guard head.count == jobStart + format.jobSize else { return try cut(start, "a job") }
        let job = UnsafeRawBufferPointer(rebasing: head[jobStart...])
        // After the last record a file holds zeros.
        guard (job.loadUnaligned(as: UInt64.self)) != 0 else {
            return try unwritten(start, upTo: start + jobStart, "a job without an id")
        }
        let name = UnsafeRawBufferPointer(rebasing: head[format.lengthSize..<jobStart])
        var record: Record
        do {
            guard Format.isName(name) else { throw MalformedRecord("an invalid name of a tube") }
            record = try format.job(job)
            guard name.isEmpty || record.state != .invalid else { throw MalformedRecord("a deleted job with a body") }
        } catch let error as MalformedRecord {
            return try unwritten(start, upTo: start + jobStart + Format.meaningfulSize - 1, error.what)
        }
        if !name.isEmpty { record.tube = String(decoding: name, as: UTF8.self) }
        let newSignature = signature == nil ? fnv1a(head) : nil
        file.skip(head.count)
        if record.tube != nil, let end = try takeBody(of: &record, start) { return .end(end) }
        signature = signature ?? newSignature
        return .record(record)
    }

    /// Skips a body, which must end with CRLF.
    /// - Returns: The end of the file, if the body is not complete.
    private func takeBody(of record: inout Record, _ start: Int) throws -> BinlogFile.End? {
        record.bodyOffset = file.position
        let what = "the body of job \(record.id)"
        guard file.left >= record.bodySize else { return try ending(try cut(start, what)) }
        file.skip(record.bodySize - 2)
        let mark = try file.peek(2)
        guard mark.elementsEqual("\r\n".utf8) else {
            return try ending(try unwritten(start, upTo: file.position + 1, what + ", which does not end with CRLF"))
        }
        file.skip(2)
        return nil
    }

    private func ending(_ step: Step) throws -> BinlogFile.End? {
        if case .end(let end) = step { end } else { nil }
    }

    // MARK: Ends

    /// The file ends inside a record.
    private func cut(_ start: Int, _ what: String) throws -> Step {
        if try file.endOfData(from: start) == start { return .end(.complete) }
        return .end(isNewest ? .torn(at: start, what) : .damaged(at: start, "an end of the file inside \(what)"))
    }

    /// A record that is not valid. It is torn if only zeros follow from `limit` on, else damaged.
    private func unwritten(_ start: Int, upTo limit: Int, _ what: String) throws -> Step {
        let end = try file.endOfData(from: start)
        if end == start { return .end(.complete) }
        return .end(end <= limit ? .torn(at: start, what) : .damaged(at: start, what))
    }
}

/// FNV-1a, 64 bits.
private func fnv1a(_ bytes: UnsafeRawBufferPointer) -> Int64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return Int64(bitPattern: hash)
}
