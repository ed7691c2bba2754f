/// The kind of write that timed out or failed (native protocol v4 §9). Unknown kinds survive a round trip.
public struct WriteType: RawRepresentable, Hashable, Sendable {
    /// The name on the wire.
    public let rawValue: String

    /// Any kind.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// A write of one partition.
    public static var simple: Self { .init(rawValue: "SIMPLE") }
    /// A logged batch, after its log was written.
    public static var batch: Self { .init(rawValue: "BATCH") }
    /// An unlogged batch.
    public static var unloggedBatch: Self { .init(rawValue: "UNLOGGED_BATCH") }
    /// A counter update.
    public static var counter: Self { .init(rawValue: "COUNTER") }
    /// The log of a logged batch.
    public static var batchLog: Self { .init(rawValue: "BATCH_LOG") }
    /// A conditional write.
    public static var cas: Self { .init(rawValue: "CAS") }
    /// An update of a materialized view.
    public static var view: Self { .init(rawValue: "VIEW") }
    /// A change data capture log.
    public static var cdc: Self { .init(rawValue: "CDC") }
}
