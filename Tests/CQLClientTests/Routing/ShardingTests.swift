import CQLProtocol
import NIOCore
import Testing

@testable import CQLClient

struct ShardingTests {
    /// What ScyllaDB's Python driver computes (`shard_id_from_token`): with 12 shards and 12 bits that do not count, and with three
    /// shards and whole tokens.
    @Test(
        arguments: [
            (-9_219_783_007_514_621_794, 9, 0), (9_222_582_454_147_032_830, 9, 2), (0, 0, 1), (.min, 0, 0),
            (.max, 11, 2), (12_345, 0, 1), (-3_758_069_500_696_749_310, 6, 0),
        ] as [(Int64, Int, Int)]
    )
    func `shards are those that ScyllaDB's driver computes`(token: Int64, of12: Int, of3: Int) {
        #expect(Sharding.shard(of: token, count: 12, ignoredBits: 12) == of12)
        #expect(Sharding.shard(of: token, count: 3, ignoredBits: 0) == of3)
    }

    private static let told: WireMap<[String]> = [
        "SCYLLA_SHARD": ["3"], "SCYLLA_NR_SHARDS": ["8"], "SCYLLA_PARTITIONER": [Murmur3Partitioner.className],
        "SCYLLA_SHARDING_ALGORITHM": ["biased-token-round-robin"], "SCYLLA_SHARDING_IGNORE_MSB": ["12"],
        "SCYLLA_SHARD_AWARE_PORT": ["19042"], "SCYLLA_SHARD_AWARE_PORT_SSL": ["19142"],
    ]

    @Test func `a node tells its shards in SUPPORTED`() {
        #expect(
            Sharding(supported: Self.told)
                == Sharding(shard: 3, count: 8, ignoredBits: 12, port: 19_042, portOfTLS: 19_142)
        )
        var withoutPorts = Self.told
        withoutPorts["SCYLLA_SHARD_AWARE_PORT"] = nil
        withoutPorts["SCYLLA_SHARD_AWARE_PORT_SSL"] = nil
        #expect(Sharding(supported: withoutPorts) == Sharding(shard: 3, count: 8, ignoredBits: 12))
    }

    @Test(
        arguments: [
            ("SCYLLA_SHARD", "8"), ("SCYLLA_SHARD", "-1"), ("SCYLLA_NR_SHARDS", "1"), ("SCYLLA_NR_SHARDS", "100000"),
            ("SCYLLA_NR_SHARDS", "x"), ("SCYLLA_PARTITIONER", "org.apache.cassandra.dht.RandomPartitioner"),
            ("SCYLLA_SHARDING_ALGORITHM", "another"), ("SCYLLA_SHARDING_IGNORE_MSB", "64"),
        ]
    )
    func `shards that are not understood are none`(key: String, value: String) {
        var told = Self.told
        told[key] = [value]
        #expect(Sharding(supported: told) == nil)
        told[key] = nil
        #expect(Sharding(supported: told) == nil)
    }

    @Test func `a node of ScyllaDB is asked for its shards before STARTUP`() {
        var handshake = Handshake(credentials: nil, keyspace: nil, asksForShards: true)
        #expect(handshake.begin() == .send(.options))
        let startup = Handshake.Action.send(.startup(["CQL_VERSION": "3.0.0", "DRIVER_NAME": "cluster-sync"]))
        #expect(handshake.received(.supported(Self.told)) == startup)
        #expect(handshake.received(.ready) == .ready)
        #expect(handshake.sharding?.shard == 3)
        var silent = Handshake(credentials: nil, keyspace: nil, asksForShards: true)
        _ = silent.begin()
        #expect(silent.received(.supported([:])) == startup)
        #expect(silent.sharding == nil)
    }

    @Test func `ports on the client's side stand for their shard`() {
        var random = SystemRandomNumberGenerator()
        for count in [2, 3, 64, 255, 256] {
            for shard in [0, 1, count - 1] {
                let port = ShardSearch.sourcePort(for: shard, of: count, using: &random)
                #expect(port % count == shard && ShardSearch.sourcePorts.contains(port))
            }
        }
    }
}

struct ShardSearchTests {
    private static let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
    private static var later: NIODeadline { self.start + ShardSearch.pause }

    @Test func `each shard is opened once at a time, and a few shards at once`() {
        var search = ShardSearch()
        for shard in 0..<ShardSearch.openingMax {
            #expect(search.wanted(shard, hasShardAwarePort: true, now: Self.start) == .shardAwarePort)
            #expect(search.wanted(shard, hasShardAwarePort: true, now: Self.start) == nil)
        }
        #expect(search.wanted(9, hasShardAwarePort: true, now: Self.start) == nil)
        #expect(search.opened(for: 0, at: 0, isNew: true, of: 12, now: Self.start) == .use)
        #expect(search.wanted(9, hasShardAwarePort: false, now: Self.start) == .usualPort)
    }

    @Test func `where the client's port is changed on the way the usual port is taken for a while`() {
        var search = ShardSearch()
        _ = search.wanted(1, hasShardAwarePort: true, now: Self.start)
        // It ends elsewhere, at a shard that had none: that is good, too.
        #expect(search.opened(for: 1, at: 2, isNew: true, of: 4, now: Self.start) == .use)
        #expect(search.wanted(1, hasShardAwarePort: true, now: Self.start) == .usualPort)
        search.failed(for: 1, now: Self.start)
        #expect(search.wanted(1, hasShardAwarePort: true, now: Self.start) == nil)
        #expect(search.wanted(1, hasShardAwarePort: true, now: Self.later) == .shardAwarePort)
    }

    @Test func `a closed port is not tried again at once, the usual one is`() {
        var search = ShardSearch()
        _ = search.wanted(1, hasShardAwarePort: true, now: Self.start)
        search.failed(for: 1, now: Self.start)
        #expect(search.isIdle)
        #expect(search.wanted(1, hasShardAwarePort: true, now: Self.start) == .usualPort)
    }

    @Test func `a search that leads to nothing ends`() {
        var search = ShardSearch()
        for _ in 0..<3 {
            #expect(search.wanted(1, hasShardAwarePort: false, now: Self.start) == .usualPort)
            #expect(search.opened(for: 1, at: 0, isNew: false, of: 4, now: Self.start) == .hold)
        }
        _ = search.wanted(1, hasShardAwarePort: false, now: Self.start)
        #expect(search.opened(for: 1, at: nil, isNew: false, of: 4, now: Self.start) == .giveUp)
        #expect(search.wanted(1, hasShardAwarePort: false, now: Self.start) == nil)
        #expect(search.wanted(1, hasShardAwarePort: false, now: Self.later) == .usualPort)
    }
}
