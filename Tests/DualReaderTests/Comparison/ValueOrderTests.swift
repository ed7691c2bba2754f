import CQLProtocol
import NIOCore
import Testing

import DualReader

/// Orders and equalities as Cassandra's own types have them.
struct ValueOrderTests {
    private static func bytes(_ bytes: UInt8...) -> ByteBuffer { ByteBuffer(bytes: bytes) }
    private static func encoded(_ value: CQLValue, _ type: DataType) throws -> ByteBuffer {
        try value.encoded(as: type) ?? ByteBuffer()
    }

    /// Each list is in the order of its type.
    private static let ordered: [(DataType, [CQLValue])] = [
        (.tinyint, [.tinyint(-128), .tinyint(-1), .tinyint(0), .tinyint(127)]),
        (.smallint, [.smallint(-300), .smallint(-1), .smallint(0), .smallint(300)]),
        (.int, [.int(.min), .int(-1), .int(0), .int(1), .int(.max)]),
        (.bigint, [.bigint(.min), .bigint(-1), .bigint(0), .bigint(.max)]),
        (.timestamp, [.timestamp(-1), .timestamp(0), .timestamp(1)]),
        (.date, [.date(0), .date(1 << 31 - 1), .date(1 << 31), .date(.max)]),
        (.time, [.time(0), .time(1), .time(86_399_999_999_999)]),
        (.boolean, [.boolean(false), .boolean(true)]),
        (.varchar, [.text(""), .text("a"), .text("ab"), .text("b"), .text("é")]),
        (.double, [-.infinity, -1, -0.0, 0.0, 1, .infinity, .nan].map { .double($0) }),
        (.float, [-.infinity, -1, -0.0, 0.0, 1, .infinity, .nan].map { .float($0) }),
        (
            .varint,
            ["-70000", "-300", "-128", "-1", "0", "1", "127", "128", "300", "70000"].compactMap {
                Varint(decimal: $0).map { .varint($0) }
            }
        ),
        (
            .decimal,
            [
                ("-11", 0), ("-1", -1), ("-1", 0), ("-1", 3), ("0", 5), ("1", 3), ("999", 3), ("1", 0), ("11", 1),
                ("1", -1), ("11", 0),
            ].compactMap { text, scale in
                Varint(decimal: text).map { .decimal(CQLDecimal(scale: scale, unscaled: $0)) }
            }
        ),
        (.list(.int), [.list([]), .list([.int(-1)]), .list([.int(1)]), .list([.int(1), .int(0)]), .list([.int(2)])]),
        (
            .map(.int, .int),
            [
                .map([]), .map([.init(key: .int(1), value: .int(1))]),
                .map([.init(key: .int(1), value: .int(2))]),
            ]
        ),
        (
            .tuple([.int, .varchar]),
            [
                .tuple([.null, .text("z")]), .tuple([.int(1)]), .tuple([.int(1), .text("a")]),
                .tuple([.int(2)]),
            ]
        ),
    ]

    @Test func `values of each type have the order of their type`() throws {
        for (type, values) in Self.ordered {
            let all = try values.map { try Self.encoded($0, type) }
            for (index, one) in all.enumerated() {
                for (place, other) in all.enumerated() {
                    let order = ValueOrder.compare(one, other, as: type).signum()
                    // -1 × 10 is below -1, which the list has the other way round on purpose of its scale.
                    #expect(order == (index - place).signum(), "\(type) \(values[index]) \(values[place])")
                }
            }
        }
    }

    @Test func `uuids go by version and time, time uuids by time and signed bytes`() {
        func uuid(_ high: UInt64, _ low: UInt64) -> ByteBuffer {
            var bytes = ByteBuffer(integer: high)
            bytes.writeInteger(low)
            return bytes
        }
        // Version 1 before version 4, however the bytes look.
        let (early, late) = (uuid(0xffff_ffff_0000_1000, 0x80 << 56), uuid(0x0000_0000_0001_1000, 0x80 << 56))
        let random = uuid(0x0000_0000_0000_4000, 0x80 << 56)
        #expect(ValueOrder.compare(early, late, as: .uuid) < 0)
        #expect(ValueOrder.compare(late, random, as: .uuid) < 0)
        #expect(ValueOrder.compare(early, late, as: .timeuuid) < 0)
        let (signed, plain) = (uuid(0x1000, 0x8000_0000_0000_0080), uuid(0x1000, 0x8000_0000_0000_007f))
        #expect(ValueOrder.compare(signed, plain, as: .timeuuid) < 0)
        #expect(ValueOrder.compare(signed, plain, as: .uuid) > 0)
    }

    @Test func `equal values in other bytes are equal`() throws {
        let pairs: [(DataType, ByteBuffer, ByteBuffer)] = [
            (.varint, Self.bytes(1), Self.bytes(0, 0, 1)), (.varint, Self.bytes(0xff), Self.bytes(0xff, 0xff)),
            (.decimal, Self.bytes(0, 0, 0, 1, 10), Self.bytes(0, 0, 0, 1, 0, 10)),
            (.decimal, Self.bytes(0, 0, 0, 1, 10), Self.bytes(0, 0, 0, 2, 100)),
            (.boolean, Self.bytes(1), Self.bytes(2)),
            (.double, ByteBuffer(integer: Double.nan.bitPattern), ByteBuffer(integer: (-Double.nan).bitPattern | 1)),
            (
                .set(.int), try Self.encoded(.list([.int(1), .int(2)]), .list(.int)),
                try Self.encoded(.list([.int(2), .int(1)]), .list(.int))
            ),
            (
                .tuple([.int, .int]), try Self.encoded(.tuple([.int(1)]), .tuple([.int, .int])),
                try Self.encoded(.tuple([.int(1), .null]), .tuple([.int, .int]))
            ),
        ]
        for (type, one, other) in pairs {
            #expect(one != other)
            #expect(ValueOrder.areEqual(one, other, as: type), "\(type)")
        }
    }

    @Test func `other values are not, nor is null equal to no bytes`() throws {
        #expect(!ValueOrder.areEqual(nil, ByteBuffer(), as: .int))
        #expect(ValueOrder.areEqual(nil, nil, as: .int))
        #expect(!ValueOrder.areEqual(Self.bytes(1), Self.bytes(0xff), as: .varint))
        #expect(
            !ValueOrder.areEqual(
                ByteBuffer(integer: (0.0).bitPattern),
                ByteBuffer(integer: (-0.0).bitPattern),
                as: .double
            )
        )
        let lists = try [[1, 2], [2, 1]].map { try Self.encoded(.list($0.map { .int($0) }), .list(.int)) }
        #expect(!ValueOrder.areEqual(lists[0], lists[1], as: .list(.int)))
        // Bytes that are none of the type are compared as they are.
        #expect(!ValueOrder.areEqual(Self.bytes(1), Self.bytes(2), as: .int))
        #expect(!ValueOrder.areEqual(Self.bytes(0, 0, 0, 9), Self.bytes(0, 0, 0, 8), as: .map(.int, .int)))
    }
}
