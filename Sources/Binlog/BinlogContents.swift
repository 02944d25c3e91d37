/// The contents of a folder: its jobs without their bodies, and how far each file could be read.
public struct BinlogContents: Sendable {
    /// The folder, from which `BodyReader` reads the bodies.
    public let folder: BinlogFolder
    /// The names that `BinlogJob.tube` is an index into. Some may have no job any more.
    public let tubes: [String]
    /// Sorted by the place of the body on disk.
    public let jobs: [BinlogJob]
    /// The highest id in any record, including deleted jobs.
    public let highestID: UInt64
    /// One entry for each number from the first file to the last, including missing files.
    public let files: [BinlogFile]

    /// Whether something could not be read, other than a last record that was not written completely.
    public var isDamaged: Bool { files.contains { $0.isDamaged } }

    /// Reads the log.
    /// - Parameters:
    ///   - folder: Its files are opened one after the other.
    ///   - now: Nanoseconds since 1970. A delayed job that is due by then is ready.
    ///   - progress: Called every 1024 records with the bytes read and the number of jobs so far.
    /// - Throws: `BinlogError` when a file cannot be opened. Damaged contents are no error.
    public init(
        reading folder: BinlogFolder, now: Int64, progress: (_ bytes: Int, _ jobs: Int) -> Void = { _, _ in }
    ) throws {
        var replay = Replay()
        var files: [BinlogFile] = []
        var bytes = 0
        for number in folder.numbers {
            // beanstalkd removes files from the beginning only, so a gap means that files are missing.
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
    /// Replays one file up to its end or to the place where it is damaged.
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
            } catch let error as MalformedRecord {
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
