/// Reads bodies from the files. It keeps only the last file open, so ask in the order of `BinlogContents.jobs`.
public final class BodyReader {
    private let contents: BinlogContents
    private var open: (file: Int32, reader: FileReader)?

    public init(_ contents: BinlogContents) {
        self.contents = contents
    }

    /// Reads the body of a job of these contents.
    /// - Throws: `BinlogError` when the file cannot be read or has become shorter.
    public func body(of job: BinlogJob) throws -> [UInt8] {
        if open?.file != job.body.file {
            let number = contents.files[Int(job.body.file)].number
            open = (job.body.file, try FileReader(contents.folder, number))
        }
        return try open!.reader.bytes(job.body.offset..<job.body.offset + job.bodySize)
    }
}
