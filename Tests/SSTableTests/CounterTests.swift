import NIOCore
import Testing

@testable import SSTable

/// Counter contexts: what each node has counted, and which of two such counts is right.
struct CounterTests {
    private typealias Shard = CounterContext.Shard

    private static func shard(_ id: UInt64, _ clock: Int64, _ count: Int64, _ kind: CounterContext.Kind) -> Shard {
        Shard(idHigh: 0, idLow: id, clock: clock, count: count, kind: kind)
    }

    @Test func `a context is written as it was read`() throws {
        let context = CounterContext(shards: [
            Self.shard(1, 5, 10, .global), Self.shard(2, 6, -3, .remote), Self.shard(3, 7, 4, .local),
        ])
        #expect(context.total == 11)
        #expect(try #require(CounterContext(context.bytes)) == context)
        // Two marks; a global shard's has its sign bit set.
        #expect(Array(context.bytes.readableBytesView.prefix(6)) == [0, 2, 0x80, 0, 0, 2])
    }

    @Test func `a negative number of marks makes copies of local counts`() throws {
        var bytes = CounterContext(shards: [Self.shard(1, 5, 10, .global), Self.shard(2, 6, 1, .local)]).bytes
        bytes.setInteger(Int16(-2), at: bytes.readerIndex)
        #expect(try #require(CounterContext(bytes)).shards.map(\.kind) == [.global, .remote])
    }

    @Test func `bytes that are no context are none`() {
        let bytes = CounterContext(shards: [Self.shard(1, 5, 10, .global)]).bytes
        for length in 1..<bytes.readableBytes {
            let cut = bytes.getSlice(at: bytes.readerIndex, length: length)
            // Two marks and no shard at all is a context, of nothing.
            #expect(cut.flatMap { CounterContext($0) }.map { $0.shards.isEmpty } ?? true, "\(length)")
        }
        #expect(CounterContext(ByteBuffer())?.total == 0)
    }

    @Test func `of two counts of one node one is right, in either order`() {
        // What is merged and what comes out.
        let cases: [(Shard, Shard, Shard)] = [
            (Self.shard(1, 2, 5, .global), Self.shard(1, 1, 9, .global), Self.shard(1, 2, 5, .global)),
            (Self.shard(1, 2, 5, .global), Self.shard(1, 2, 9, .global), Self.shard(1, 2, 9, .global)),
            (Self.shard(1, 1, 5, .global), Self.shard(1, 9, 9, .local), Self.shard(1, 1, 5, .global)),
            (Self.shard(1, 1, 5, .local), Self.shard(1, 2, 9, .local), Self.shard(1, 3, 14, .local)),
            (Self.shard(1, 1, 5, .local), Self.shard(1, 9, 9, .remote), Self.shard(1, 1, 5, .local)),
            (Self.shard(1, 3, 5, .remote), Self.shard(1, 2, 9, .remote), Self.shard(1, 3, 5, .remote)),
            (Self.shard(1, -3, 5, .remote), Self.shard(1, 2, 9, .remote), Self.shard(1, -3, 5, .remote)),
            (Self.shard(1, -3, 5, .remote), Self.shard(1, -2, 9, .remote), Self.shard(1, -3, 5, .remote)),
        ]
        for (a, b, right) in cases {
            let (left, other) = (CounterContext(shards: [a]), CounterContext(shards: [b]))
            #expect(left.merged(with: other).shards == [right])
            #expect(other.merged(with: left).shards == [right])
        }
    }

    @Test func `counts of several nodes stand in the order of the nodes`() {
        let a = CounterContext(shards: [Self.shard(1, 1, 1, .global), Self.shard(3, 1, 3, .global)])
        let b = CounterContext(shards: [Self.shard(2, 1, 2, .global), Self.shard(4, 1, 4, .global)])
        #expect(a.merged(with: b).shards.map(\.idLow) == [1, 2, 3, 4])
        #expect(b.merged(with: a).total == 10)
    }
}
