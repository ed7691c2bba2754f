public import NIOCore

/// The value of a counter cell: what each node has counted (Cassandra's `CounterContext`).
///
/// A head lists the shards that are global or local; each shard is an identifier, a clock and a count. Shards that are
/// neither are copies of another node's, as versions before 2.1 left them.
public struct CounterContext: Hashable, Sendable {
    /// Whose count it is.
    public enum Kind: Sendable, Hashable {
        /// Of a node of 2.1 or later: the newest clock is right.
        case global
        /// Of the node itself, before 2.1: such counts are added.
        case local
        /// A copy, before 2.1.
        case remote
    }

    /// One count.
    public struct Shard: Hashable, Sendable {
        /// The first half of the counting node's identifier.
        public let idHigh: UInt64
        /// The other half.
        public let idLow: UInt64
        /// How often it has counted.
        public let clock: Int64
        /// What it has counted.
        public let count: Int64
        /// Whose count it is.
        public let kind: Kind
    }

    /// The shards by identifier.
    public let shards: [Shard]

    init(shards: [Shard]) { self.shards = shards }

    private static var shardBytes: Int { 32 }

    /// The context of these bytes; nil where they are none.
    public init?(_ bytes: ByteBuffer) {
        var rest = bytes
        guard rest.readableBytes > 0 else {
            self.shards = []
            return
        }
        guard let marked = rest.readInteger(as: Int16.self) else { return nil }
        // A negative size says that local shards are to be taken for copies.
        let clearsLocal = marked < 0
        var kinds: [Int: Kind] = [:]
        for _ in 0..<Int(marked.magnitude) {
            guard let entry = rest.readInteger(as: Int16.self) else { return nil }
            // A global shard's place has its sign bit set.
            if entry < 0 {
                kinds[Int(entry) + 0x8000] = .global
            } else if !clearsLocal {
                kinds[Int(entry)] = .local
            }
        }
        guard rest.readableBytes % Self.shardBytes == 0 else { return nil }
        var shards: [Shard] = []
        while let (idHigh, idLow, clock, count) = rest.readMultipleIntegers(
            as: (UInt64, UInt64, Int64, Int64).self
        ) {
            let kind = kinds[shards.count] ?? .remote
            shards.append(Shard(idHigh: idHigh, idLow: idLow, clock: clock, count: count, kind: kind))
        }
        self.shards = shards
    }

    /// The value of the counter.
    public var total: Int64 { self.shards.reduce(0) { $0 &+ $1.count } }

    /// The bytes of the context.
    public var bytes: ByteBuffer {
        var bytes = ByteBuffer()
        let marks = self.shards.enumerated().compactMap { place, shard -> Int16? in
            switch shard.kind {
            case .global: Int16(truncatingIfNeeded: place - 0x8000)
            case .local: Int16(truncatingIfNeeded: place)
            case .remote: nil
            }
        }
        bytes.writeInteger(Int16(truncatingIfNeeded: marks.count))
        for mark in marks { bytes.writeInteger(mark) }
        for shard in self.shards { bytes.writeMultipleIntegers(shard.idHigh, shard.idLow, shard.clock, shard.count) }
        return bytes
    }

    /// Both contexts as one: of each node the count that is right.
    public func merged(with other: Self) -> Self {
        var merged: [Shard] = []
        var (left, right) = (self.shards[...], other.shards[...])
        while let a = left.first, let b = right.first {
            if (a.idHigh, a.idLow) == (b.idHigh, b.idLow) {
                merged.append(Self.merged(a, b))
                left.removeFirst()
                right.removeFirst()
            } else if (a.idHigh, a.idLow) < (b.idHigh, b.idLow) {
                merged.append(a)
                left.removeFirst()
            } else {
                merged.append(b)
                right.removeFirst()
            }
        }
        return Self(shards: merged + left + right)
    }

    private static func merged(_ a: Shard, _ b: Shard) -> Shard {
        switch (a.kind, b.kind) {
        case (.global, .global): (a.clock, a.count) >= (b.clock, b.count) ? a : b
        case (.global, _): a
        case (_, .global): b
        case (.local, .local):
            Shard(
                idHigh: a.idHigh,
                idLow: a.idLow,
                clock: a.clock &+ b.clock,
                count: a.count &+ b.count,
                kind: .local
            )
        case (.local, .remote): a
        case (.remote, .local): b
        case (.remote, .remote):
            if a.clock == b.clock {
                a.count >= b.count ? a : b
            } else {
                Self.isNewer(a.clock, b.clock) ? a : b
            }
        }
    }

    /// Of copies a clock below zero, which marks a count that was renewed, is newer than one above.
    private static func isNewer(_ a: Int64, _ b: Int64) -> Bool {
        if a >= 0 { return b > 0 && a > b || b == 0 }
        return b > 0 || a < b
    }
}
