/// A record as it lies in its segment: nothing is copied.
///
/// Bound to the log that gave it. ``payload`` is good until the record is finished, or its log is closed.
public struct JournalRecordView {
    /// Where the record is.
    public let position: JournalPosition
    /// The owner's kind of record.
    public let kind: UInt8
    /// The owner's flags.
    public let flags: UInt16
    /// The state at the moment of reading.
    public let state: JournalState
    /// Greater than that of every record before it in the log.
    public let sequence: UInt64
    /// When it was appended, in milliseconds since 1970.
    public let time: Int64
    /// The parts that were appended, as one.
    public let payload: UnsafeRawBufferPointer

    init(_ header: RecordHeader, position: JournalPosition, in bytes: UnsafeRawBufferPointer) {
        self.position = position
        self.kind = header.kind
        self.flags = header.flags
        self.state = header.state
        self.sequence = header.sequence
        self.time = header.time
        self.payload = UnsafeRawBufferPointer(rebasing: bytes[header.payloadRange(at: position.offset)])
    }
}
