public import Foundation
public import Logging

/// What is logged at one time.
public struct LogRecord: Sendable {
    public var time: Date
    public var level: Logger.Level
    public var message: String
    /// The module that has logged it.
    public var source: String
    public var metadata: Logger.Metadata

    public init(time: Date, level: Logger.Level, message: String, source: String, metadata: Logger.Metadata = [:]) {
        self.time = time
        self.level = level
        self.message = message
        self.source = source
        self.metadata = metadata
    }

    /// In the order of the keys, which is the same for each record.
    var sortedMetadata: [(key: String, value: Logger.MetadataValue)] {
        metadata.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// The metadata as text: equal for equal metadata.
    var metadataText: String {
        sortedMetadata.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
    }
}
