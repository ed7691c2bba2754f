import CQLProtocol
import NIOCore
import Testing

@testable import SSTable

/// Values as texts, where no recorded dump has them.
struct TextTests {
    private static func json(_ value: CQLValue, _ type: DataType) throws -> String {
        self.json(try value.encoded(as: type), ValueForm(type))
    }

    private static func json(_ bytes: ByteBuffer?, _ form: ValueForm) -> String {
        let range = bytes.map { ByteRange(start: 0, count: $0.readableBytes) } ?? .null
        return TextBuffer.text { form.json(range, in: bytes ?? ByteBuffer(), to: &$0) }
    }

    private static func text(_ bytes: ByteBuffer, _ type: DataType) -> String {
        TextBuffer.text { ValueForm(type).text(bytes, to: &$0) }
    }

    @Test func `times are in UTC, with the digits that they need`() {
        #expect(TextBuffer.text { TimeText.instant(microseconds: 0, to: &$0) } == "1970-01-01T00:00:00Z")
        #expect(
            TextBuffer.text { TimeText.instant(microseconds: 1_700_000_000_001_000, to: &$0) }
                == "2023-11-14T22:13:20.001Z"
        )
        #expect(
            TextBuffer.text { TimeText.instant(microseconds: 1_700_000_000_000_001, to: &$0) }
                == "2023-11-14T22:13:20.000001Z"
        )
        #expect(TextBuffer.text { TimeText.instant(microseconds: -1, to: &$0) } == "1969-12-31T23:59:59.999999Z")
        #expect(TextBuffer.text { TimeText.instant(seconds: 4_294_967_295, to: &$0) } == "2106-02-07T06:28:15Z")
        // Nanoseconds in the place of microseconds, as some clients send them.
        #expect(
            TextBuffer.text { TimeText.instant(microseconds: 1_700_000_000_000_000_000, to: &$0) }
                == "+55840-11-08T22:13:20Z"
        )
        #expect(TextBuffer.text { TimeText.instant(microseconds: .max, to: &$0) } == "+294247-01-10T04:00:54.775807Z")
        #expect(TextBuffer.text { TimeText.instant(microseconds: .min, to: &$0) } == "-290308-12-21T19:59:05.224192Z")
        #expect(TextBuffer.text { TimeText.timestamp(milliseconds: -1, to: &$0) } == "1969-12-31 23:59:59.999Z")
        #expect(TextBuffer.text { TimeText.date(days: 11_016, to: &$0) } == "2000-02-29")
        #expect(TextBuffer.text { TimeText.date(days: -719_528, to: &$0) } == "0000-01-01")
        #expect(TextBuffer.text { TimeText.time(nanoseconds: 1, to: &$0) } == "00:00:00.000000001")
    }

    @Test func `floating point numbers look as in Java`() {
        let doubles: [(Double, String)] = [
            (0, "0.0"), (-0.0, "-0.0"), (1, "1.0"), (-1.5, "-1.5"), (0.001, "0.001"), (0.0001, "1.0E-4"),
            (123456.789, "123456.789"),
            (9_999_999, "9999999.0"), (10_000_000, "1.0E7"), (12_345_678_900, "1.23456789E10"),
            (.greatestFiniteMagnitude, "1.7976931348623157E308"),
            (1e-300, "1.0E-300"), (.nan, "NaN"), (-.infinity, "-Infinity"), (100, "100.0"), (0.5e-3, "5.0E-4"),
        ]
        for (number, text) in doubles { #expect(NumberText.floating(number) == text) }
        #expect(NumberText.floating(Float(3.4028235e38)) == "3.4028235E38")
        #expect(NumberText.floating(Float(0.1)) == "0.1")
    }

    @Test func `decimals look as in Java`() throws {
        // Unscaled number, scale, `toString` and `toPlainString` of BigDecimal's documentation.
        let decimals: [(String, Int32, String, String)] = [
            ("123", 0, "123", "123"), ("-123", 0, "-123", "-123"), ("123", -1, "1.23E+3", "1230"),
            ("123", -3, "1.23E+5", "123000"),
            ("123", 1, "12.3", "12.3"), ("123", 5, "0.00123", "0.00123"), ("123", 10, "1.23E-8", "0.0000000123"),
            ("-123", 12, "-1.23E-10", "-0.000000000123"), ("0", 7, "0E-7", "0.0000000"), ("0", 2, "0.00", "0.00"),
            ("0", -3, "0E+3", "0"),
            ("1", -3, "1E+3", "1000"),
        ]
        for (unscaled, scale, text, plain) in decimals {
            let decimal = CQLDecimal(scale: scale, unscaled: try #require(Varint(decimal: unscaled)))
            #expect(NumberText.decimal(decimal) == text)
            #expect(NumberText.plainDecimal(decimal) == plain)
        }
    }

    @Test func `JSON has texts escaped, keys quoted and what it cannot say as null`() throws {
        #expect(try Self.json(.text("a\"b\\c\n\u{1}\u{1f}é☃"), .varchar) == #""a\"b\\c\n\u0001\u001Fé☃""#)
        #expect(try Self.json(.double(.nan), .double) == "null")
        #expect(
            try Self.json(.map([.init(key: .int(1), value: .boolean(true))]), .map(.int, .boolean)) == #"{"1": true}"#
        )
        let nested = DataType.map(.list(.varchar), .int)
        #expect(try Self.json(.map([.init(key: .list([.text("a")]), value: .int(1))]), nested) == #"{"[\"a\"]": 1}"#)
        let type = DataType.udt(
            keyspace: "k",
            name: "t",
            fields: [.init(name: "a", type: .int), .init(name: "B", type: .int)]
        )
        #expect(try Self.json(.tuple([.int(1)]), type) == #"{"a": 1, "\"B\"": null}"#)
        #expect(try Self.json(.tuple([.null, .text("x")]), .tuple([.int, .varchar])) == #"[null, "x"]"#)
        #expect(try Self.json(.empty, .int) == #""""#)
        #expect(Self.json(nil, ValueForm(.int)) == "null")
        #expect(Self.json(ByteBuffer(bytes: [1]), ValueForm(.int)) == #""0x01""#, "not an int")
        #expect(Self.json(ByteBuffer(bytes: [0xab]), ValueForm(.custom("org.example.Strange"))) == #""0xab""#)
    }

    @Test func `keys and paths are plain texts`() throws {
        #expect(Self.text(ByteBuffer(bytes: [0xab, 1]), .blob) == "ab01")
        #expect(Self.text(ByteBuffer(bytes: [1]), .boolean) == "true")
        let tuple = DataType.tuple([.int, .varchar, .int])
        let value = try #require(try CQLValue.tuple([.int(1), .text("a:b@"), .null]).encoded(as: tuple))
        #expect(Self.text(value, tuple) == #"1:a\:b\@:@"#)
        // To the millisecond, where sstabledump cuts it to the minute.
        let time = try #require(try CQLValue.timestamp(1_709_164_800_123).encoded(as: .timestamp))
        #expect(Self.text(time, .timestamp) == "2024-02-29 00:00:00.123Z")
        #expect(Self.text(ByteBuffer(bytes: [127, 0, 0, 1]), .inet) == "127.0.0.1")
        let mapped = ByteBuffer(bytes: [UInt8](repeating: 0, count: 10) + [0xff, 0xff, 10, 0, 0, 1])
        #expect(Self.text(mapped, .inet) == "10.0.0.1")
        #expect(Self.text(ByteBuffer(bytes: [0, 0, 0, 1]), .list(.int)) == "00000001")
    }

    @Test func `names have quotes where CQL needs them`() {
        for name in ["a", "a_1", "key"] { #expect(ColumnName.cql(name) == name) }
        for name in ["A", "1a", "_a", "a b", "select", "é", ""] { #expect(ColumnName.cql(name) == "\"\(name)\"") }
        #expect(ColumnName.cql("a\"b") == "\"a\"\"b\"")
    }

    @Test func `a vector is a list of its elements`() throws {
        let marshal = "org.apache.cassandra.db.marshal."
        let type = try #require(ColumnType(className: "\(marshal)VectorType(\(marshal)FloatType , 2)"))
        var bytes = ByteBuffer()
        bytes.writeInteger(Float(1.5).bitPattern)
        bytes.writeInteger(Float(-2).bitPattern)
        #expect(Self.json(bytes, ValueForm(type)) == "[1.5, -2.0]")
        #expect(Self.json(ByteBuffer(bytes: [1]), ValueForm(type)) == #""0x01""#)
    }
}
