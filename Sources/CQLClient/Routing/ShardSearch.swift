import NIOCore

/// How the shards of one node get connections, each when a request has wanted it. A value: it decides, the pool opens.
///
/// On ScyllaDB's shard-aware port the shard follows from the port on the client's side. Where that port is closed, or the
/// client's port is changed on the way, connections are opened as they come, and those that end at a shard which has one already
/// are held, because the node gives the next connection to the shard that has the fewest. The search for new ones ends after as
/// many as the node has shards.
struct ShardSearch {
    /// How to open a connection.
    enum Way: Equatable {
        /// On the shard-aware port, from a port that stands for the shard.
        case shardAwarePort
        /// On the usual port; the node chooses the shard.
        case usualPort
    }

    /// What to do with a connection.
    enum Verdict: Equatable {
        case use
        /// Keep it open without using it.
        case hold
        /// Close it, and all that are held.
        case giveUp
    }

    /// Connections that are being made to one node at a time.
    static var openingMax: Int { 4 }
    /// How often a port on the client's side is tried, because another connection may have it.
    static var portsTriedMax: Int { 3 }
    /// How long nothing is tried again that has led to nothing.
    static var pause: TimeAmount { .seconds(60) }
    /// The ports on the client's side (RFC 6335 §6: dynamic ports).
    static var sourcePorts: ClosedRange<Int> { 49_152...65_535 }

    private var opening: [(shard: Int, way: Way)] = []
    private var fruitless = 0
    private var pausedUntil = NIODeadline.uptimeNanoseconds(0)
    private var shardAwarePortFrom = NIODeadline.uptimeNanoseconds(0)

    /// Whether nothing is on its way.
    var isIdle: Bool { self.opening.isEmpty }

    /// A request has wanted a shard without a connection.
    ///
    /// - Returns: how to open one; nil where it is being opened, or trying again would be too early.
    mutating func wanted(_ shard: Int, hasShardAwarePort: Bool, now: NIODeadline) -> Way? {
        guard now >= self.pausedUntil, self.opening.count < Self.openingMax,
            !self.opening.contains(where: { $0.shard == shard })
        else { return nil }
        let way: Way = hasShardAwarePort && now >= self.shardAwarePortFrom ? .shardAwarePort : .usualPort
        self.opening.append((shard, way))
        return way
    }

    /// The connection for a shard stands.
    ///
    /// - Parameters:
    ///   - actual: the shard at which it ends.
    ///   - isNew: whether that shard had none.
    ///   - count: of the node's shards.
    mutating func opened(for shard: Int, at actual: Int?, isNew: Bool, of count: Int, now: NIODeadline) -> Verdict {
        let way = self.end(shard)
        if way == .shardAwarePort, actual != shard { self.shardAwarePortFrom = now + Self.pause }
        if isNew {
            self.fruitless = 0
            return .use
        }
        self.fruitless += 1
        guard self.fruitless >= count else { return .hold }
        self.fruitless = 0
        self.pausedUntil = now + Self.pause
        return .giveUp
    }

    /// The connection for a shard could not be made.
    mutating func failed(for shard: Int, now: NIODeadline) {
        switch self.end(shard) {
        case .shardAwarePort: self.shardAwarePortFrom = now + Self.pause
        case .usualPort: self.pausedUntil = now + Self.pause
        case nil: break
        }
    }

    private mutating func end(_ shard: Int) -> Way? {
        guard let index = self.opening.firstIndex(where: { $0.shard == shard }) else { return nil }
        return self.opening.remove(at: index).way
    }

    /// A port on the client's side that stands for a shard.
    static func sourcePort<Random: RandomNumberGenerator>(
        for shard: Int,
        of count: Int,
        using random: inout Random
    ) -> Int {
        let first = Self.sourcePorts.lowerBound / count + 1
        let last = (Self.sourcePorts.upperBound - shard) / count
        return Int.random(in: first...last, using: &random) * count + shard
    }
}
