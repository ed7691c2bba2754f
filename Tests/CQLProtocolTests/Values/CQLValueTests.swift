import CQLProtocol
import NIOCore
import TestSupport
import Testing

struct CQLValueTests {
    private static func same(_ value: CQLValue, _ type: DataType) throws {
        #expect(try CQLValue(decoding: try value.encoded(as: type), as: type) == value, "\(type)")
    }

    @Test func `extremes of every type survive`() throws {
        try Self.same(.null, .int)
        try Self.same(.empty, .int)
        for value in [Int64.min, -1, 0, 1, 127, 128, -128, -129, 1 << 33, .max] {
            try Self.same(.bigint(value), .counter)
            try Self.same(.timestamp(value), .timestamp)
            try Self.same(.varint(Varint(value)), .varint)
            #expect(Varint(value).int64 == value)
            #expect(Varint(decimal: String(value)) == Varint(value))
            for type in [DataType.duration, .durationClass] {
                try Self.same(.duration(CQLDuration(months: .min, days: .max, nanoseconds: value)), type)
            }
        }
        for bits in [Double.nan.bitPattern, Double.infinity.bitPattern, (-0.0).bitPattern, Double.pi.bitPattern] {
            let bytes = try CQLValue.double(Double(bitPattern: bits)).encoded(as: .double)
            #expect(bytes == ByteBuffer(integer: bits))
        }
        try Self.same(.text("žluťoučký 🐎"), .varchar)
        try Self.same(.date(0), .date)
        try Self.same(.decimal(CQLDecimal(scale: .min, unscaled: Varint(7))), .decimal)
    }

    @Test func `collections nest, and null elements stay`() throws {
        let type = DataType.map(.int, .list(.tuple([.varchar, .set(.uuid)])))
        let uuid = CQLValue.uuid(CQLUUID(high: 1, low: .max))
        let inner = CQLValue.list([.tuple([.text("x"), .set([uuid])]), .tuple([.null]), .null, .tuple([])])
        try Self.same(.map([.init(key: .int(1), value: inner), .init(key: .int(2), value: .null)]), type)
    }

    @Test func `a value that the type does not have is refused`() {
        #expect(throws: CQLProtocolError.self) { try CQLValue.int(1).encoded(as: .bigint) }
        #expect(throws: CQLProtocolError.self) { try CQLValue.text("ž").encoded(as: .ascii) }
        #expect(throws: CQLProtocolError.self) { try CQLValue.tuple([.int(1), .int(2)]).encoded(as: .tuple([.int])) }
        #expect(throws: CQLProtocolError.self) { try CQLValue.set([]).encoded(as: .list(.int)) }
    }

    @Test func `hostile counts are refused before room is made for them`() {
        let huge = ByteBuffer(bytes: [0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0])
        for type in [DataType.list(.int), .set(.int), .map(.int, .int), .tuple([.int]), .list(.list(.int))] {
            #expect(throws: CQLProtocolError.self) { try CQLValue(decoding: huge, as: type) }
        }
        #expect(throws: CQLProtocolError.self) { try CQLValue(decoding: ByteBuffer(integer: UInt64(1)), as: .int) }
    }

    @Test func `numbers of any size are described in decimal`() {
        let digits = "-123456789000000000000000000000000000000000000000000987654321"
        #expect(Varint(decimal: digits)?.description == digits)
        #expect(Varint(decimal: "18446744073709551616")?.bytes == [1, 0, 0, 0, 0, 0, 0, 0, 0])
        #expect(Varint(decimal: "-9223372036854775809")?.description == "-9223372036854775809")
        #expect(Varint(decimal: "1x") == nil && Varint(decimal: "-") == nil && Varint(bytes: []) == nil)
        #expect(Varint(bytes: [UInt8](repeating: 1, count: 5_000))?.description.hasPrefix("0x0101") == true)
        #expect(CQLDecimal(scale: 3, unscaled: Varint(-5)).description == "-0.005")
        #expect(CQLDecimal(scale: 2, unscaled: Varint(12345)).description == "123.45")
        #expect(CQLDecimal(scale: -4, unscaled: Varint(2)).description == "2E4")
        #expect(CQLDecimal(scale: .max, unscaled: Varint(2)).description == "2E-2147483647")
        #expect(CQLDuration(months: 14, days: 3, nanoseconds: 3_600_000_000_001).description == "1y2mo3d1h1ns")
        #expect(CQLDuration(months: 0, days: 0, nanoseconds: .min).description.hasPrefix("-2562047h"))
    }

    @Test func `random bytes are a value or a clear error for every type`() {
        var random = SeededRandom(seed: 20_261_124)
        var types: [DataType] = (0x01...0x16).map { .native($0) }
        types += [.durationClass, .custom("unknown.Type")]
        types += types.map { .list($0) } + types.map { .map($0, .tuple([$0, .varchar])) }
        for _ in 0..<20_000 {
            let count = Int.random(in: 0..<40, using: &random)
            // Small bytes make lengths and counts that fit now and then.
            let bytes = ByteBuffer(bytes: (0..<count).map { _ in UInt8.random(in: 0..<255, using: &random) % 9 })
            guard let type = types.randomElement(using: &random) else { continue }
            _ = try? CQLValue(decoding: bytes, as: type)
        }
    }
}
