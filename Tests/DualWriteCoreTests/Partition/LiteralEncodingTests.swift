import CQLProtocol
import CQLSyntax
import DualWriteCore
import Testing

/// Constants of each native type as they become bytes of a partition key.
struct LiteralEncodingTests {
    private func bytes(_ literal: String, _ type: String) -> [UInt8]? {
        let shape = TableShape(columns: [:], partitionKey: [TableShape.KeyColumn(name: "k", type: type)])
        let plan = PartitionPlan(
            WriteStatement("DELETE FROM t WHERE k = \(literal)"),
            schema: SchemaShapes(tables: ["ks": ["t": shape]])
        )
        return plan.partitions(.none).first?.key
    }

    private func expect(_ literal: String, _ type: String, is value: CQLValue, _ dataType: DataType) throws {
        let expected = BoundValue.value(try #require(try value.encoded(as: dataType))).bytes
        #expect(self.bytes(literal, type) == expected, "\(literal) as \(type)")
    }

    @Test func `numbers`() throws {
        try self.expect("-2147483648", "int", is: .int(.min), .int)
        try self.expect("9223372036854775807", "bigint", is: .bigint(.max), .bigint)
        try self.expect("-32768", "smallint", is: .smallint(.min), .smallint)
        try self.expect("-128", "tinyint", is: .tinyint(.min), .tinyint)
        for digits in ["0", "127", "128", "-128", "-129", "123456789012345678901234567890"] {
            try self.expect(digits, "varint", is: .varint(#require(Varint(decimal: digits))), .varint)
        }
        for (literal, value) in [
            ("1", 1), ("-0.5", -0.5), ("1e3", 1000), ("2.5E-3", 0.0025), ("1e400", Double.infinity),
        ] {
            try self.expect(literal, "double", is: .double(value), .double)
            try self.expect(literal, "float", is: .float(Float(value)), .float)
        }
        #expect(self.bytes("NaN", "double") == [0x7f, 0xf8, 0, 0, 0, 0, 0, 0])
        #expect(self.bytes("-Infinity", "float") == [0xff, 0x80, 0, 0])
        #expect(self.bytes("-0.0", "float") == [0x80, 0, 0, 0])
    }

    /// The digits as written: 1.50 is another key than 1.5.
    @Test(arguments: [
        ("1.50", Int32(2), Int64(150)), ("1.5", 1, 15), ("-0.001", 3, -1), ("12", 0, 12), ("1e3", -3, 1),
        ("1.25E2", 0, 125),
        ("1.5e-3", 4, 15),
    ])
    func `decimals`(literal: String, scale: Int32, unscaled: Int64) throws {
        try self.expect(
            literal,
            "decimal",
            is: .decimal(CQLDecimal(scale: scale, unscaled: Varint(unscaled))),
            .decimal
        )
    }

    @Test func `texts, blobs, booleans and identifiers`() throws {
        #expect(self.bytes("'it''s ß'", "text") == Array("it's ß".utf8))
        #expect(self.bytes("$$it's$$", "varchar") == Array("it's".utf8))
        #expect(self.bytes("'plain'", "ascii") == Array("plain".utf8))
        #expect(self.bytes("0xCAFE", "blob") == [0xca, 0xfe])
        #expect(self.bytes("TRUE", "boolean") == [1] && self.bytes("false", "boolean") == [0])
        let random: [UInt8] = [
            0x12, 0x3e, 0x45, 0x67, 0xe8, 0x9b, 0x42, 0xd3, 0xa4, 0x56, 0x42, 0x66, 0x14, 0x17, 0x40, 0x00,
        ]
        #expect(self.bytes("123E4567-e89b-42d3-a456-426614174000", "uuid") == random)
        #expect(self.bytes("123e4567-e89b-42d3-a456-426614174000", "timeuuid") == nil)
        #expect(self.bytes("123e4567-e89b-12d3-a456-426614174000", "timeuuid")?[6] == 0x12)
    }

    @Test(arguments: [
        ("'10.0.0.255'", [UInt8]([10, 0, 0, 255])), ("'::'", [UInt8](repeating: 0, count: 16)),
        ("'2001:DB8::1'", [0x20, 0x01, 0x0d, 0xb8] + [UInt8](repeating: 0, count: 11) + [1]),
        ("'1:2:3:4:5:6:7:8'", [0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8]),
        ("'1:2:3:4:5:6:1.2.3.4'", [0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 1, 2, 3, 4]),
        ("'fe80::'", [0xfe, 0x80] + [UInt8](repeating: 0, count: 14)),
    ])
    func `addresses`(literal: String, expected: [UInt8]) {
        #expect(self.bytes(literal, "inet") == expected)
    }

    /// Expected with `date -u -d … +%s`.
    @Test(arguments: [
        ("1732540800123", Int64(1_732_540_800_123)), ("-5", -5), ("'1732540800123'", 1_732_540_800_123), ("'-5'", -5),
        ("'1970-01-01T00:00:00Z'", 0), ("'2024-02-29 12:34:56.789Z'", 1_709_210_096_789),
        ("'2024-02-29T12:34+0100'", 1_709_206_440_000), ("'2024-02-29T12:34:56-05:30'", 1_709_229_896_000),
        ("'2024-02-29+00'", 1_709_164_800_000), ("'1969-12-31T23:59:59.999Z'", -1),
        ("'1583-01-01Z'", -12_212_553_600_000), ("'2000-03-01Z'", 951_868_800_000),
    ])
    func `timestamps`(literal: String, milliseconds: Int64) throws {
        try self.expect(literal, "timestamp", is: .timestamp(milliseconds), .timestamp)
    }

    @Test func `days and times of day`() throws {
        try self.expect("'1970-01-01'", "date", is: .date(1 << 31), .date)
        try self.expect("'1969-12-31'", "date", is: .date(1 << 31 - 1), .date)
        try self.expect("'2024-02-29'", "date", is: .date(1 << 31 + 19_782), .date)
        try self.expect("4294967295", "date", is: .date(.max), .date)
        try self.expect("'0'", "date", is: .date(0), .date)
        try self.expect("'08:12:54'", "time", is: .time(29_574_000_000_000), .time)
        try self.expect("'08:12:54.1'", "time", is: .time(29_574_100_000_000), .time)
        try self.expect("'23:59:59.999999999'", "time", is: .time(86_399_999_999_999), .time)
        try self.expect("86399999999999", "time", is: .time(86_399_999_999_999), .time)
    }

    @Test(arguments: [
        ("2147483648", "int"), ("1.5", "int"), ("'1'", "int"), ("9223372036854775808", "bigint"), ("128", "tinyint"),
        ("32768", "smallint"), ("1.0", "varint"), ("true", "int"), ("1", "boolean"), ("'ß'", "ascii"), ("1", "text"),
        ("'0xCAFE'", "blob"), ("0xCAF", "blob"), ("1", "inet"), ("'localhost'", "inet"), ("'10.0.1'", "inet"),
        ("'010.0.0.1'", "inet"), ("'1::2::3'", "inet"), ("'1:2:3:4:5:6:7:8:9'", "inet"), ("'fe80::1%eth0'", "inet"),
        ("'1:2:3:4:5:6:7::8:9'", "inet"), ("'1:2:3:4::5:6:7:8'", "inet"), ("':1::'", "inet"), ("'256.0.0.1'", "inet"),
        ("''", "inet"),
        ("'now'", "timestamp"),
        ("'::ffff:192.168.0.1'", "inet"), ("'::FFFF:c0a8:1'", "inet"), ("'1582-12-31Z'", "timestamp"),
        ("'2024-02-29'", "timestamp"), ("'2024-02-29 12:34:56'", "timestamp"), ("'2023-02-29Z'", "timestamp"),
        ("'2024-13-01Z'", "timestamp"), ("'2024-02-29T24:00Z'", "timestamp"), ("'2024-02-29T12:34:56.7Z'", "timestamp"),
        ("'2024-02-29T12:34:56.789123Z'", "timestamp"), ("'2024-02-29T12:34Z '", "timestamp"), ("1.5", "timestamp"),
        ("'2024-2-29'", "date"), ("'2024-02-30'", "date"), ("-1", "date"), ("4294967296", "date"),
        ("'24:00:00'", "time"),
        ("86400000000000", "time"), ("-1", "time"), ("'08:12'", "time"), ("'08:12:54.'", "time"),
        ("'08:12:54.1234567890'", "time"),
        ("'NaN'", "double"), ("NaN", "decimal"), ("1e99999999999", "decimal"), ("1h", "duration"), ("1", "counter"),
        ("1", "frozen<x>"), ("123e4567-e89b-42d3-a456-426614174000", "text"),
    ])
    func `what a server refuses, or each reads in its own way, is not told`(literal: String, type: String) {
        #expect(self.bytes(literal, type) == nil)
    }
}
