import CQLProtocol
import NIOCore
import Testing

@testable import LiveTables
@testable import SSTableLoader

/// What a live source is asked for, and how its rows are taken apart.
struct LiveSelectTests {
    private static let table = LiveTable(
        keyspace: "Ks",
        name: "t\"q",
        partitionKey: ["p", "Q"],
        clustering: [.init(name: "c")],
        columns: [
            .init("v"), .init("m", .map), .init("u", .userType(["a", "B"])), .init("s", isStatic: true),
            .init("n", .counter),
        ]
    )

    @Test func `names are quoted and only what has a time is asked for it`() {
        #expect(
            LiveSelect(Self.table).text
                == #"SELECT "p", "Q", "c", "s", WRITETIME("s"), TTL("s"), "m", "n", "u", "v", WRITETIME("v"), TTL("v") "#
                + #"FROM "Ks"."t""q" WHERE token("p", "Q") > ? AND token("p", "Q") <= ?"#
        )
        #expect(LiveSelect(Self.table).untold == ["m", "u"])
    }

    @Test func `times of elements come as lists or field by field`() {
        let select = LiveSelect(Self.table, times: ["m": .whole, "u": .fields(["a", "B"])])
        #expect(select.text.contains(#""m", WRITETIME("m"), TTL("m"), "n""#))
        #expect(
            select.text.contains(#""u", WRITETIME("u"."a"), TTL("u"."a"), WRITETIME("u"."B"), TTL("u"."B"), "v""#)
        )
        #expect(select.untold == [])
    }

    @Test(
        arguments: [
            ("int", .cell), ("list<int>", .list), ("set<text>", .set), ("map<int, frozen<list<int>>>", .map),
            ("frozen<map<int, int>>", .cell), ("frozen<tuple<int, int>>", .cell), ("address", .userType(["street"])),
            ("frozen<address>", .cell), (#""Odd ""Name""#, .userType(["x"])), ("counter", .counter),
            ("vector<float, 3>", .cell), (#""list<int>""#, .userType(["y"])),
        ] as [(String, LiveTable.Storage)]
    )
    func `a type's name tells how the server keeps it`(_ name: String, _ storage: LiveTable.Storage) {
        let fields = ["address": ["street"], "Odd \"Name": ["x"], "list<int>": ["y"]]
        #expect(LiveTable.Storage(name, fields) == storage)
    }

    /// Rows of `system_schema.columns`: name, kind, position, type.
    private static func schema(_ columns: [(String, String, Int32, String)]) throws -> Rows {
        let names: [(String, DataType)] = [
            ("column_name", .varchar), ("kind", .varchar), ("position", .int), ("type", .varchar),
            ("clustering_order", .varchar),
        ]
        return try Rows(
            metadata: ResultMetadata(
                columns: names.map { ColumnSpec(keyspace: "s", table: "c", name: $0.0, type: $0.1) }
            ),
            rows: columns.map {
                [Self.bytes($0.0), Self.bytes($0.1), ByteBuffer(integer: $0.2), Self.bytes($0.3), Self.bytes("none")]
            }
        )
    }

    @Test func `compact tables of old have the columns that CQL shows`() throws {
        let columns = try Self.schema([
            ("b", "static", -1, "int"), ("column1", "clustering", 0, "text"), ("p", "partition_key", 0, "int"),
            ("value", "regular", -1, "blob"),
        ])
        let compact = try LiveTable(keyspace: "k", name: "t", columns: columns, fields: [:], flags: [])
        #expect(compact == LiveTable(keyspace: "k", name: "t", partitionKey: ["p"], columns: [.init("b")]))
        let dropped = try LiveTable(keyspace: "k", name: "t", columns: columns, fields: [:], flags: ["compound"])
        #expect(dropped.clustering.map(\.name) == ["column1"] && dropped.columns.map(\.name) == ["b", "value"])
        let dense = try Self.schema([
            ("c", "clustering", 0, "int"), ("p", "partition_key", 0, "int"), ("value", "regular", -1, "empty"),
        ])
        #expect(try LiveTable(keyspace: "k", name: "t", columns: dense, fields: [:], flags: ["dense"]).columns == [])
    }

    private static func bytes(_ text: String) -> ByteBuffer { ByteBuffer(string: text) }

    private static func rows(_ rows: [[ByteBuffer?]]) throws -> Rows {
        let columns = (0..<(rows.first?.count ?? 0)).map {
            ColumnSpec(keyspace: "k", table: "t", name: "\($0)", type: .blob)
        }
        return try Rows(metadata: ResultMetadata(columns: columns), rows: rows)
    }

    @Test func `rows become parts of partitions with their statics once`() throws {
        let table = LiveTable(
            keyspace: "k",
            name: "t",
            partitionKey: ["p"],
            clustering: [.init(name: "c")],
            columns: [.init("v"), .init("s", isStatic: true)]
        )
        let select = LiveSelect(table)
        let (time, life) = (ByteBuffer(integer: Int64(7)), ByteBuffer(integer: Int32(60)))
        func row(_ p: String, _ c: String?, _ v: String?) -> [ByteBuffer?] {
            let value = v.map(Self.bytes)
            return [Self.bytes(p), c.map(Self.bytes), Self.bytes("S"), time, nil, value, value.map { _ in time }, life]
        }
        let rows = try Self.rows([row("a", "1", "x"), row("a", "2", nil), row("b", nil, nil), row("d", "1", "y")])
        let (parts, unloadable) = try select.parts(rows, after: [Self.bytes("a")])
        #expect(unloadable == [])
        #expect(parts.map(\.key) == ["a", "b", "d"].map { [Self.bytes($0)] })
        #expect(parts[0].statics == nil, "the page before has had them")
        #expect(parts[1].statics == [LiveCell(Self.bytes("S"), .one(LiveTime(7)))])
        #expect(parts[1].rows == [], "statics alone")
        #expect(parts[0].rows.map(\.cells) == [[LiveCell(Self.bytes("x"), .one(LiveTime(7, timeToLive: 60)))], [nil]])
        #expect(parts[2].token == Murmur3Partitioner.token(of: Self.bytes("d")))
        #expect(throws: LiveReadError.self) { try select.parts(try Self.rows([[time]]), after: nil) }
    }

    @Test func `bytes that are no collection are told from one`() {
        var list = ByteBuffer(integer: Int32(2))
        list.writeElement(Self.bytes("ab"))
        #expect(Elements.of(collection: list) == nil, "an element is missing")
        list.writeInteger(Int32(-1))
        #expect(Elements.of(collection: list) == [Self.bytes("ab"), nil])
        list.writeInteger(UInt8(0))
        #expect(Elements.of(collection: list) == nil, "a byte too many")
        #expect(Elements.of(collection: ByteBuffer(integer: Int32.max)) == nil, "no memory for what cannot be there")
        #expect(Elements.of(collection: ByteBuffer(integer: Int32(-5))) == nil)
    }

    private static func fails(_ size: inout PageSize) -> Bool { size.failed() }

    @Test func `a page grows to its bytes and shrinks where it fails`() {
        var size = PageSize(bytes: 1_000, rows: 10, rowsMax: 500)
        size.delivered(rows: 10, bytes: 100)
        #expect(size.rows == 20, "twice at most")
        for _ in 0..<5 { size.delivered(rows: size.rows, bytes: size.rows * 10) }
        #expect(size.rows == 100, "as many as make a thousand bytes")
        size.delivered(rows: 100, bytes: 100_000)
        #expect(size.rows == 1, "rows that are as large as a page come one by one")
        for _ in 0..<20 { size.delivered(rows: size.rows, bytes: size.rows) }
        #expect(size.rows == 500, "never above the limit")
        #expect(Self.fails(&size) && size.rows == 125)
        size.delivered(rows: 125, bytes: 125)
        #expect(size.rows == 250 && size.failures == 0)
        size.delivered(rows: 250, bytes: 250)
        #expect((251...500).contains(size.rows), "more slowly where it failed lately")
        while size.rows > 1 { #expect(Self.fails(&size)) }
        #expect((0..<4).map { _ in Self.fails(&size) } == [true, true, true, false], "one row is tried four times")
        size.delivered(rows: 0, bytes: 0)
        #expect(size.rows == 1 && size.failures == 0, "an empty page tells nothing of sizes")
    }
}
