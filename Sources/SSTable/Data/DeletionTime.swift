/// When something was deleted: data with this timestamp or a lower one is gone.
public struct DeletionTime: Hashable, Sendable {
    /// The timestamp of the deletion, usually in microseconds since 1970.
    public let timestamp: Int64
    /// The server's time of the deletion, in seconds since 1970; decides only when the deletion itself may be forgotten.
    public let localDeletionTime: Int64

    /// A deletion of known times.
    @inlinable
    public init(timestamp: Int64, localDeletionTime: Int64) {
        self.timestamp = timestamp
        self.localDeletionTime = localDeletionTime
    }

    /// Nothing is deleted.
    @inlinable public static var live: Self { Self(timestamp: .min, localDeletionTime: .max) }

    /// Whether nothing is deleted.
    @inlinable public var isLive: Bool { self == .live }

    /// Whether it deletes what has this timestamp.
    @inlinable
    public func deletes(_ timestamp: Int64) -> Bool { timestamp <= self.timestamp && !self.isLive }

    /// Whether it takes the place of another one: it is later, or as late and kept for longer.
    @inlinable
    public func supersedes(_ other: Self) -> Bool {
        if self.isLive || other.isLive { return !self.isLive }
        return self.timestamp > other.timestamp
            || (self.timestamp == other.timestamp && self.localDeletionTime > other.localDeletionTime)
    }

    /// The one of two that takes the place of the other.
    @inlinable
    public static func later(_ left: Self, _ right: Self) -> Self { right.supersedes(left) ? right : left }
}

extension ByteCursor {
    /// A deletion at the head of a partition or in an index, where it is not a difference (Cassandra's
    /// `DeletionTime.Serializer`).
    mutating func deletionTime(_ version: FormatVersion) throws(Fault) -> DeletionTime {
        guard version.hasUnsignedDeletionTimes else {
            try self.need(12, "a deletion")
            let local = try self.integer("a deletion", as: Int32.self)
            let timestamp = try self.integer("a deletion", as: Int64.self)
            guard timestamp != .min || local != .max else { return .live }
            return DeletionTime(timestamp: timestamp, localDeletionTime: Int64(local))
        }
        try self.need(1, "a deletion")
        // The sign of the timestamp says that nothing is deleted.
        let first = self.bytes[self.position]
        if first & 0x80 != 0 {
            guard first == 0x80 else { throw self.fault(.malformed, "a deletion", detail: "flags \(first)") }
            try self.skip(1, "a deletion")
            return .live
        }
        try self.need(12, "a deletion")
        let timestamp = try self.integer("a deletion", as: Int64.self)
        let local = try self.integer("a deletion", as: UInt32.self)
        return DeletionTime(timestamp: timestamp, localDeletionTime: Int64(local))
    }
}
