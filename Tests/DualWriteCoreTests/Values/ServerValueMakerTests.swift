import CQLProtocol
import CQLSyntax
import DualWriteCore
import Testing

struct ServerValueMakerTests {
    /// Numbers that count up, so that each bit of a value can be told.
    private struct Counting: RandomNumberGenerator {
        var last: UInt64

        mutating func next() -> UInt64 {
            self.last &+= 0x9e37_79b9_7f4a_7c15
            return self.last
        }
    }

    /// 2026-11-25T12:34:56.123456789Z.
    private static let now: Int64 = 1_795_610_096_123_456_789

    private static func integer(_ bytes: some Collection<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }

    /// The 100-nanosecond units of a time UUID, in the order in which RFC 9562 §5.1 lays them out.
    private static func ticks(_ bytes: [UInt8]) -> UInt64 {
        Self.integer([bytes[6] & 0x0f, bytes[7], bytes[4], bytes[5]] + bytes[0..<4])
    }

    @Test func `times are those of the moment that is given`() {
        var maker = ServerValueMaker(clockSequence: 0, node: 0)
        var random = Counting(last: 0)
        func value(_ function: ServerFunction) -> [UInt8] { maker.value(of: function, now: Self.now, using: &random) }
        #expect(Self.integer(value(.currentTimestamp)) == 1_795_610_096_123)
        // 20782 days after 1970, which is 2^31 (native protocol v4 §6.5).
        #expect(Self.integer(value(.currentDate)) == 1 << 31 + 20_782)
        #expect(value(.currentDate).count == 4)
        #expect(Self.integer(value(.currentTime)) == ((12 * 60 + 34) * 60 + 56) * 1_000_000_000 + 123_456_789)
        // RFC 9562 appendix A.1 has 0x1EC9414C232AB00 for 2022-02-22T19:22:22Z.
        var other = ServerValueMaker(clockSequence: 0x33c8, node: 0x9f6b_dece_d846)
        let known = other.value(of: .now, now: 1_645_557_742_000_000_000, using: &random)
        #expect(
            CQLUUID(high: Self.integer(known[0..<8]), low: Self.integer(known[8...])).description
                == "c232ab00-9414-11ec-b3c8-9f6bdeced846"
        )
    }

    @Test(arguments: [ServerFunction.now, .currentTimeUUID]) func `time UUIDs are of version 1 and only grow`(
        function: ServerFunction
    ) {
        var maker = ServerValueMaker(clockSequence: 0xffff, node: 0xffff_fe00_0000_0001)
        var random = Counting(last: 0)
        var last: UInt64 = 0
        // A clock that stands still, goes back, and goes on.
        for step in [0, 0, 0, 50, 99, -10_000_000_000, 100, 100, 5_000, 1_000_000] {
            let value = maker.value(of: function, now: Self.now + Int64(step), using: &random)
            #expect(value.count == 16)
            #expect(value[6] >> 4 == 1, "version")
            #expect(value[8] >> 6 == 0b10, "variant")
            #expect(value[10] & 1 == 1, "the multicast bit of a node that is no network card")
            #expect(Self.ticks(value) > last)
            last = Self.ticks(value)
        }
        // The clock is in front again.
        let ahead = maker.value(of: function, now: Self.now + 1_000_000_000, using: &random)
        #expect(Self.ticks(ahead) == UInt64(Self.now + 1_000_000_000) / 100 + 0x01b2_1dd2_1381_4000)
    }

    @Test func `random UUIDs are of version 4`() {
        var maker = ServerValueMaker(clockSequence: 0, node: 0)
        for seed in [0, UInt64.max, 0x9e37] {
            var random = Counting(last: seed)
            for _ in 0..<100 {
                let value = maker.value(of: .uuid, now: Self.now, using: &random)
                #expect(value.count == 16)
                #expect(value[6] >> 4 == 4 && value[8] >> 6 == 0b10)
            }
        }
    }

    @Test func `no two are equal among a million of two loops`() {
        var makers = [
            ServerValueMaker(clockSequence: 1, node: 7), ServerValueMaker(clockSequence: 2, node: 7),
            ServerValueMaker(clockSequence: 1, node: 8),
        ]
        var random = SystemRandomNumberGenerator()
        var seen: Set<CQLUUID> = []
        seen.reserveCapacity(1_000_000)
        for index in 0..<1_000_000 {
            let function: ServerFunction = index % 4 == 0 ? .uuid : index % 4 == 1 ? .currentTimeUUID : .now
            // The clock is far slower than the calls.
            let value = makers[index % 3].value(of: function, now: Self.now + Int64(index / 100), using: &random)
            seen.insert(
                value.withUnsafeBytes {
                    CQLUUID(
                        high: UInt64(bigEndian: $0.loadUnaligned(as: UInt64.self)),
                        low: UInt64(bigEndian: $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
                    )
                }
            )
        }
        #expect(seen.count == 1_000_000)
    }
}
