/// The limits that no configuration moves.
public enum JournalLimits {
    /// The longest payload of a record or definition, in bytes: a CQL body (256 MiB, native protocol v4 §2.5) and 1 MiB of what
    /// the owner adds.
    public static var payloadBytesMax: Int { 257 << 20 }
    /// The shortest segment that can be configured, in bytes.
    public static var segmentBytesMin: Int { 4 << 10 }
    /// The longest segment that can be configured, in bytes.
    public static var segmentBytesMax: Int { 1 << 30 }
    /// The length of the segments of a log that owes less than twice as much, in bytes, unless a shorter one is configured.
    public static var shortSegmentBytes: Int { 1 << 20 }
    /// Finished segments that a log keeps for its next ones; more are deleted.
    public static var spareSegmentsMax: Int { 2 }
    /// From so many bytes on a part of a record is written, not copied into the mapping.
    public static var writtenBytesMin: Int { 16 << 10 }
    /// The pause after a failure to make a segment, in milliseconds.
    public static var retryMilliseconds: Int64 { 1_000 }
    /// Damaged ranges that a report lists; more are only counted.
    public static var damagedRangesListedMax: Int { 100 }
    /// The longest name of a log, in characters.
    public static var logNameCharactersMax: Int { 64 }
    /// Times its length that a segment may be hashed in search of the next whole record; what is behind it then is given up.
    static var resynchronisationFactor: Int { 64 }
    /// Numbers that are left out after a machine stopped: what was given out may have been lost with it, pages of it may not.
    static var segmentNumbersSkipped: UInt64 { 1 << 16 }
    /// See ``segmentNumbersSkipped``.
    static var sequencesSkipped: UInt64 { 1 << 32 }
    /// The last segment number: positions have 32 bits for it.
    static var segmentNumberMax: UInt64 { UInt64(UInt32.max) }
}
