public import QueueCore

/// The encoding of batches, for the microbenchmarks only.
@_spi(Benchmarks)
public enum BatchEncoding {
    /// Encodes all that the writer would give to libpq for this batch.
    /// - Returns: The number of bytes.
    public static func byteCount(of batch: WriteBatch) -> Int {
        var bytes = byteCount(of: Ledger.entry(epoch: batch.epoch, 0, 1, changes: batch.countChanges))
        if !batch.puts.isEmpty { bytes += byteCount(of: batch.putParameters) }
        let now = Instant(nanoseconds: 0)
        if !batch.stateChanges.isEmpty { bytes += byteCount(of: batch.stateChangeParameters(at: now)) }
        if !batch.annotations.isEmpty { bytes += byteCount(of: batch.annotateParameters(at: now)) }
        if !batch.deletes.isEmpty { bytes += byteCount(of: batch.deleteParameters) }
        return bytes
    }

    private static func byteCount(of parameters: Parameters) -> Int {
        parameters.withPointers { count, _, lengths, _ in
            UnsafeBufferPointer(start: lengths, count: Int(count)).reduce(0) { $0 + Int($1) }
        }
    }
}
