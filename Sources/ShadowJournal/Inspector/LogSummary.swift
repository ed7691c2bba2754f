/// What an inspector finds in a log.
public struct LogSummary: Sendable, Equatable {
    /// The log.
    public internal(set) var name: String
    /// Files that hold records.
    public internal(set) var segments = 0
    /// Files that wait for reuse.
    public internal(set) var spares = 0
    /// The lengths of all files, in bytes.
    public internal(set) var diskBytes = 0
    /// The payload of open records, in bytes.
    public internal(set) var openBytes = 0
    /// When the oldest open record was appended, in milliseconds since 1970.
    public internal(set) var oldestOpen: Int64?
    /// When the last record was appended, in milliseconds since 1970.
    public internal(set) var newest: Int64?
    /// The sequence of the last record.
    public internal(set) var lastSequence: UInt64 = 0
    /// Records, definitions, and what is damaged. Every checksum was verified.
    public internal(set) var content = RecoveryReport()
}
