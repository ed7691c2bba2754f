import CQLProtocol

/// How a node of ScyllaDB divides its part of the ring among its cores, as it tells in SUPPORTED (protocol extension
/// "intranode sharding").
struct Sharding: Sendable, Hashable {
    /// Nodes with more shards are used without regard to them: each takes a connection.
    static var shardsMax: Int { 256 }
    private static var algorithm: String { "biased-token-round-robin" }

    /// The shard that serves the connection on which this was told.
    let shard: Int
    /// How many there are.
    let count: Int
    /// Leading bits of a token that do not count.
    let ignoredBits: Int
    /// Where the port of the client's side decides about the shard; nil where there is no such port.
    let port: Int?
    /// The same for TLS.
    let portOfTLS: Int?

    init(shard: Int, count: Int, ignoredBits: Int, port: Int? = nil, portOfTLS: Int? = nil) {
        self.shard = shard
        self.count = count
        self.ignoredBits = ignoredBits
        self.port = port
        self.portOfTLS = portOfTLS
    }

    /// Reads SUPPORTED; nil where it tells of no shards, of one, or of some that are counted in a way that is not known here.
    init?(supported: WireMap<[String]>) {
        func number(_ key: String, _ range: ClosedRange<Int>) -> Int? {
            supported[key]?.first.flatMap { Int($0) }.flatMap { range.contains($0) ? $0 : nil }
        }
        guard supported["SCYLLA_SHARDING_ALGORITHM"]?.first == Self.algorithm,
            supported["SCYLLA_PARTITIONER"]?.first == Murmur3Partitioner.className,
            let count = number("SCYLLA_NR_SHARDS", 2...Self.shardsMax),
            let shard = number("SCYLLA_SHARD", 0...count - 1),
            let ignoredBits = number("SCYLLA_SHARDING_IGNORE_MSB", 0...63)
        else { return nil }
        self.init(
            shard: shard,
            count: count,
            ignoredBits: ignoredBits,
            port: number("SCYLLA_SHARD_AWARE_PORT", 1...65_535),
            portOfTLS: number("SCYLLA_SHARD_AWARE_PORT_SSL", 1...65_535)
        )
    }

    /// The shard that has a token: tokens are moved up from zero, their leading bits dropped, and what is left is divided evenly.
    @inline(__always)
    static func shard(of token: Int64, count: Int, ignoredBits: Int) -> Int {
        let biased = UInt64(bitPattern: token) &+ 1 << 63
        return Int((biased &<< UInt64(ignoredBits)).multipliedFullWidth(by: UInt64(count)).high)
    }
}
