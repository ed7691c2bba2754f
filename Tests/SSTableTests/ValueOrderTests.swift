import CQLProtocol
import NIOCore
import TestSupport
import Testing

@testable import SSTable

/// The order of clusterings and collection elements.
struct ValueOrderTests {
    private static func bytes(_ value: CQLValue, _ type: DataType) throws -> [UInt8] {
        try value.encoded(as: type).map { Array($0.readableBytesView) } ?? []
    }

    /// Compares each with each.
    private static func check(_ sorted: [[UInt8]], _ order: ValueOrder) {
        for (i, a) in sorted.enumerated() {
            for (j, b) in sorted.enumerated() {
                let result = a.withUnsafeBytes { a in b.withUnsafeBytes { order.compare(a, $0) } }
                #expect(result.signum() == (i - j).signum(), "\(order): \(a) and \(b)")
            }
        }
    }

    @Test func `numbers compare as numbers and no bytes come first`() throws {
        Self.check([[]] + (try [Int32.min, -1, 0, 1, .max].map { try Self.bytes(.int($0), .int) }), ValueOrder(.int))
        Self.check(
            try [Int16.min, -1, 0, 1, .max].map { try Self.bytes(.smallint($0), .smallint) },
            ValueOrder(.smallint)
        )
        Self.check(try [Int64.min, -1, 0, 1, .max].map { try Self.bytes(.bigint($0), .bigint) }, ValueOrder(.bigint))
        Self.check(
            try [-Double.infinity, -1.5, -0.0, 0.0, 1e-300, 2, .infinity, .nan].map {
                try Self.bytes(.double($0), .double)
            },
            ValueOrder(.double)
        )
        Self.check(
            try [-Float.infinity, -1.5, -0.0, 0.0, 2, .infinity, .nan].map { try Self.bytes(.float($0), .float) },
            ValueOrder(.float)
        )
    }

    @Test func `numbers of any size compare by value`() throws {
        let varints = try [
            "-99999999999999999999", "-256", "-255", "-1", "0", "1", "127", "128", "255", "256", "99999999999999999999",
        ]
        .map { try Self.bytes(.varint(try #require(Varint(decimal: $0))), .varint) }
        Self.check([[]] + varints, ValueOrder(.varint))
        let decimals = try [
            ("-1", -3), ("-999", 0), ("-15", 1), ("-1", 0), ("-1", 10), ("0", 3), ("1", 10), ("1", 1), ("1", 0),
            ("11", 1), ("15", 1), ("999", 0),
            ("1", -3), ("123456789012345678901234567890", 0),
        ].map { unscaled, scale in
            try Self.bytes(
                .decimal(CQLDecimal(scale: Int32(scale), unscaled: try #require(Varint(decimal: unscaled)))),
                .decimal
            )
        }
        Self.check(decimals, ValueOrder(.decimal))
        // The same number in other digits.
        let one = try Self.bytes(.decimal(CQLDecimal(scale: 0, unscaled: Varint(1))), .decimal)
        let tenths = try Self.bytes(.decimal(CQLDecimal(scale: 1, unscaled: Varint(10))), .decimal)
        #expect(one.withUnsafeBytes { one in tenths.withUnsafeBytes { ValueOrder.decimal.compare(one, $0) } } == 0)
    }

    @Test func `time-based uuids compare by time, others by version and bytes`() throws {
        func uuid(_ high: UInt64, _ low: UInt64 = 0x8000_0000_0000_0000) throws -> [UInt8] {
            try Self.bytes(.uuid(CQLUUID(high: high, low: low)), .uuid)
        }
        let timed = [
            try uuid(0xffff_ffff_0000_1000), try uuid(0x0000_0000_0001_1000), try uuid(0x0000_0000_0000_1001),
            try uuid(0x0000_0000_0000_1001, 0x8000_0000_0000_0001),
        ]
        Self.check(timed, ValueOrder(.timeuuid))
        // Bytes of the low half are signed in a timeuuid and unsigned in a uuid.
        Self.check(
            [try uuid(0x1000, 0x80ff_0000_0000_0000), try uuid(0x1000, 0x8001_0000_0000_0000)],
            ValueOrder(.timeuuid)
        )
        Self.check(
            [try uuid(0x1000, 0x8001_0000_0000_0000), try uuid(0x1000, 0x80ff_0000_0000_0000)],
            ValueOrder(.uuid)
        )
        Self.check(timed + [try uuid(0x4000), try uuid(0xff00_0000_0000_4000)], ValueOrder(.uuid))
    }

    @Test func `what consists of parts compares part by part`() throws {
        let list = DataType.list(.int)
        let lists = try [[], [-1], [0], [0, 0], [1]].map { numbers in
            try Self.bytes(.list(numbers.map { .int($0) }), list)
        }
        Self.check(lists, ValueOrder(list))
        let map = DataType.map(.varchar, .int)
        let maps = try [[("a", 1)], [("a", 2)], [("a", 2), ("b", 0)], [("b", 0)]].map { pairs in
            try Self.bytes(.map(pairs.map { .init(key: .text($0.0), value: .int($0.1)) }), map)
        }
        Self.check(maps, ValueOrder(map))
        let tuple = DataType.tuple([.int, .varchar])
        let tuples = try [
            [CQLValue.int(-1), .text("z")], [.int(1), .null], [.int(1), .text("a")], [.int(1), .text("b")],
        ].map { try Self.bytes(.tuple($0), tuple) }
        Self.check(tuples, ValueOrder(tuple))
    }

    @Test func `bytes that a type does not have compare somehow, and the same way round`() {
        var random = SeededRandom(seed: 3)
        let orders: [ValueOrder] = [
            .signed, .floating, .uuid, .timeuuid, .varint, .decimal, .list(.signed), .map(.bytes, .varint),
            .tuple([.signed, .list(.bytes)]), .vector(.floating, elementLength: 4),
        ]
        for _ in 0..<2_000 {
            let (a, b) = (random.bytes(max: 12), random.bytes(max: 12))
            for order in orders {
                let one = a.withUnsafeBytes { a in b.withUnsafeBytes { order.compare(a, $0) } }
                let other = a.withUnsafeBytes { a in b.withUnsafeBytes { order.compare($0, a) } }
                #expect(one.signum() == -other.signum(), "\(order): \(a) and \(b)")
            }
        }
    }

    @Test func `class names are taken apart`() throws {
        let marshal = "org.apache.cassandra.db.marshal."
        let reversed = try #require(ColumnType(className: "\(marshal)ReversedType(\(marshal)TimestampType)"))
        #expect(
            reversed.isReversed && reversed.dataType == .timestamp && reversed.fixedLength == 8 && !reversed.isMultiCell
        )
        let map = try #require(ColumnType(className: "\(marshal)MapType(\(marshal)Int32Type,\(marshal)UTF8Type)"))
        #expect(map.isMultiCell && map.dataType == .map(.int, .varchar) && map.fixedLength == nil)
        let frozen = try #require(
            ColumnType(className: "\(marshal)FrozenType(\(marshal)MapType(\(marshal)Int32Type,\(marshal)UTF8Type))")
        )
        #expect(!frozen.isMultiCell && frozen.dataType == map.dataType)
        let vector = try #require(ColumnType(className: "\(marshal)VectorType(\(marshal)FloatType , 3)"))
        #expect(vector.vector == .init(element: .float, elementLength: 4, dimension: 3) && vector.fixedLength == 12)
        let key = try #require(
            ColumnType.keyComponents("\(marshal)CompositeType(\(marshal)UTF8Type,\(marshal)Int32Type)")
        )
        #expect(key.map(\.dataType) == [.varchar, .int])
        #expect(ColumnType(className: "com.example.Strange(a(b),c)")?.order == .unknown)
        for name in ["", "(", "A(", "A(B", "A)B", "A(B))"] {
            #expect(ClassName(name[...]) == nil || name == "A)B", "\(name)")
        }
    }
}

extension SeededRandom {
    mutating func bytes(max: Int) -> [UInt8] {
        (0..<Int.random(in: 0...max, using: &self)).map { _ in
            // Small numbers make lengths that fit.
            Bool.random(using: &self) ? .random(in: 0...4, using: &self) : .random(in: 0...255, using: &self)
        }
    }
}
