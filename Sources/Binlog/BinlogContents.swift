/// All that a folder holds: its jobs, but for their bodies, and an account of what was read and what was not.
public struct BinlogContents: Sendable {
    public let folder: BinlogFolder
    /// Names that `BinlogJob.tube` is an index of; some may have no job any more.
    public let tubes: [String]
    /// In the order of their bodies on disk.
    public let jobs: [BinlogJob]
    /// The highest id that any record names, deleted jobs included.
    public let highestID: UInt64
    /// One for each number from the first file to the last.
    public let files: [BinlogFile]

    /// Whether something could not be read; a record that was never written to its end does not count.
    public var isDamaged: Bool { files.contains { $0.isDamaged } }

    /// Reads the log.
    /// - Parameters:
    ///   - folder: Its files are opened one after another.
    ///   - now: Nanoseconds since 1970: delays that have passed by then are over.
    ///   - progress: Called now and then with the bytes read and the number of jobs found so far.
    /// - Throws: `BinlogError` when a file cannot be opened. What is in the files is never an error.
    public init(
        reading folder: BinlogFolder, now: Int64, progress: (_ bytes: Int, _ jobs: Int) -> Void = { _, _ in }
    ) throws {
        var replay = Replay()
        var files: [BinlogFile] = []
        var bytes = 0
        for number in folder.numbers {
            // A log has no gaps, however much of its beginning is gone.
            if let last = files.last?.number, number > last + 1 {
                for missing in (last + 1..<number).prefix(1000) {
                    var file = BinlogFile(number: missing, size: 0)
                    file.end = .missing
                    files.append(file)
                }
            }
            let reader = try FileReader(folder, number)
            var file = BinlogFile(number: number, size: reader.size)
            let records = RecordReader(reader, isNewest: number == folder.numbers.last)
            try file.read(records, into: &replay, index: files.count) { progress(bytes + $0, $1) }
            files.append(file)
            bytes += reader.size
        }
        self.folder = folder
        self.files = files
        tubes = replay.tubes
        highestID = replay.highestID
        var jobs = replay.finish()
        for index in jobs.indices where jobs[index].state == .delayed && jobs[index].dueAt <= now {
            jobs[index].state = .ready
        }
        jobs.sort { ($0.body.file, $0.body.offset) < ($1.body.file, $1.body.offset) }
        self.jobs = jobs
    }
}

extension BinlogFile {
    /// Replays one file up to its end, or to where it is damaged.
    fileprivate mutating func read(
        _ reader: RecordReader, into replay: inout Replay, index: Int, progress: (_ bytes: Int, _ jobs: Int) -> Void
    ) throws {
        defer {
            version = reader.format.map { Int($0.rawValue) }
            signature = reader.signature
        }
        while true {
            let start = reader.file.position
            do {
                switch try reader.next() {
                case .end(let end):
                    self.end = end
                    return
                case .record(let record):
                    try replay.apply(record, file: index)
                    records += 1
                }
            } catch let error as Implausible {
                end = .damaged(at: start, error.what)
                return
            } catch BinlogError.system(_, let reason) {
                end = .damaged(at: start, "a place that cannot be read (\(reason))")
                return
            }
            if records % 1024 == 0 { progress(start, replay.count) }
        }
    }
}
