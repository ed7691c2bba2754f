/// What an INSERT leaves besides its cells: that the row exists, since when, and until when (Cassandra's
/// `LivenessInfo`).
public struct Liveness: Hashable, Sendable {
    /// The timestamp, usually in microseconds since 1970.
    public let timestamp: Int64
    /// Seconds to live from the write on; 0 for ever.
    public let timeToLive: Int32
    /// When it expires, in seconds since 1970.
    public let expiresAt: Int64

    /// A liveness of known times.
    @inlinable
    public init(timestamp: Int64, timeToLive: Int32, expiresAt: Int64) {
        self.timestamp = timestamp
        self.timeToLive = timeToLive
        self.expiresAt = expiresAt
    }

    /// The row exists by its cells alone.
    @inlinable public static var none: Self { Self(timestamp: .min, timeToLive: 0, expiresAt: .max) }

    /// Whether the row exists by its cells alone.
    @inlinable public var isNone: Bool { self.timestamp == .min }
    /// Whether it ends.
    @inlinable public var isExpiring: Bool { self.timeToLive != 0 }

    /// What views leave for a row that was overwritten: as good as deleted (Cassandra's `EXPIRED_LIVENESS_TTL`).
    private var isExpired: Bool { self.timeToLive == .max }

    /// Whether it takes the place of another one: it is newer; of two as new the one that ends, and of these the one that
    /// ends later.
    func supersedes(_ other: Self) -> Bool {
        if self.timestamp != other.timestamp { return self.timestamp > other.timestamp }
        if self.isExpired != other.isExpired { return self.isExpired }
        if self.isExpiring == other.isExpiring { return self.expiresAt > other.expiresAt }
        return self.isExpiring
    }
}
