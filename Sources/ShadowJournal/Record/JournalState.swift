/// How far the work of a record has come: one byte that is changed in place.
///
/// The owner of a log gives values below ``damaged`` a meaning; the journal knows ``finished`` and what it cannot read.
public struct JournalState: RawRepresentable, Hashable, Sendable {
    /// The byte.
    public let rawValue: UInt8

    /// The state that the byte `rawValue` stands for.
    @inlinable
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Nothing is owed any more. Final: the record can be gone the next moment.
    @inlinable
    public static var finished: Self { .init(rawValue: 0xFF) }

    /// The record is whole, but its state cannot be read. It counts as open; treat it as the most doubtful state there is.
    @inlinable
    public static var damaged: Self { .init(rawValue: 0xFE) }
}
