#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// Reads a file forward through a buffer. Skipped bytes are not read.
final class FileReader {
    let path: String
    let size: Int
    /// The offset of the next byte in the file.
    private(set) var position = 0

    private let descriptor: Int32
    private let buffer: UnsafeMutableRawBufferPointer
    private var bufferStart = 0
    private var bufferCount = 0

    /// `capacity` is the size of the buffer in bytes, which limits `peek`.
    init(_ folder: BinlogFolder, _ number: Int, buffer capacity: Int = 1 << 20) throws {
        path = folder.path(of: number)
        buffer = .allocate(byteCount: capacity, alignment: 16)
        descriptor = folder.open(number)
        var status = stat()
        guard descriptor >= 0, fstat(descriptor, &status) == 0 else {
            size = 0
            throw BinlogError.system("read \(path)")
        }
        size = Int(status.st_size)
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw BinlogError.system(operation: "read \(path)", reason: "it is not a file")
        }
        // The account of PostgreSQL can write into its data directory, and may have made a hard link to another user's
        // file. A broker that is root must not read that for it.
        guard geteuid() != 0 || status.st_nlink == 1 || status.st_uid == folder.owner else {
            throw BinlogError.system(
                operation: "read \(path)", reason: "it is another user's and has several names (hard links)")
        }
    }

    deinit {
        buffer.deallocate()
        if descriptor >= 0 { close(descriptor) }
    }

    var left: Int { size - position }

    /// The next `count` bytes, fewer at the end of the file. Valid until the next call.
    func peek(_ count: Int) throws -> UnsafeRawBufferPointer {
        precondition(count <= buffer.count)
        let count = min(count, left)
        if position < bufferStart || position + count > bufferStart + bufferCount {
            bufferStart = position
            bufferCount = try read(into: buffer, at: position)
        }
        let from = position - bufferStart
        return UnsafeRawBufferPointer(rebasing: buffer[from..<min(from + count, bufferCount)])
    }

    func skip(_ count: Int) {
        position += min(count, left)
    }

    func bytes(_ range: Range<Int>) throws -> [UInt8] {
        var count = 0
        let bytes = try [UInt8](unsafeUninitializedCapacity: range.count) { target, filled in
            count = try read(into: UnsafeMutableRawBufferPointer(target), at: range.lowerBound)
            filled = count
        }
        guard count == range.count else {
            throw BinlogError.system(operation: "read \(path)", reason: "it has become shorter")
        }
        return bytes
    }

    /// The offset after the last byte that is not zero, from `start` on; `start` if all are zero.
    func endOfData(from start: Int) throws -> Int {
        let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { chunk.deallocate() }
        var end = start
        var offset = start
        while offset < size {
            let count = try read(into: chunk, at: offset)
            guard count > 0 else { break }
            // All bytes are zero if the first is zero and each byte equals the one before it.
            if chunk[0] != 0 || memcmp(chunk.baseAddress!, chunk.baseAddress! + 1, count - 1) != 0 {
                end = offset + 1 + chunk[..<count].lastIndex { $0 != 0 }!
            }
            offset += count
        }
        return end
    }

    private func read(into target: UnsafeMutableRawBufferPointer, at offset: Int) throws -> Int {
        var filled = 0
        while filled < target.count {
            let count = pread(descriptor, target.baseAddress! + filled, target.count - filled, off_t(offset + filled))
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw BinlogError.system("read \(path)") }
            if count == 0 { break }
            filled += count
        }
        return filled
    }
}
