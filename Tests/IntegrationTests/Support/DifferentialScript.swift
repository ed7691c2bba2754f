import CQLProtocol
import NIOCore

/// A session of many statements, every kind with every type, that a server must answer the same way each time: all writes bring
/// their own timestamps, nothing depends on the clock.
struct DifferentialScript {
    enum Step {
        case query(String, [BoundValue] = [], pageSize: Int32? = nil, isTraced: Bool = false)
        case prepare(String)
        /// What was prepared with this text.
        case execute(String, [BoundValue], skipMetadata: Bool = false)
        case batch(Batch.Kind, [(String, [BoundValue])])
        /// The rest of the pages of the query before.
        case otherPages
        case frame(RequestFrame)
    }

    /// A column type, two literals of it, and the bytes of two values.
    private struct Sample {
        let name: String
        let type: String
        let literals: [String]
        let values: [[UInt8]]
    }

    let steps: [Step]

    init() {
        var steps: [Step] = Self.schema.map { .query($0) }
        for (index, sample) in Self.samples.enumerated() { steps += Self.steps(for: sample, at: index) }
        steps += Self.pages + Self.errors + Self.rest
        self.steps = steps
    }

    private static let schema = [
        "CREATE KEYSPACE d WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
        "CREATE TYPE d.place (street text, number int)",
        "CREATE TABLE d.counters (p text PRIMARY KEY, n counter)",
        "CREATE TABLE d.wide (p int, c int, s text static, v text, PRIMARY KEY (p, c)) WITH CLUSTERING ORDER BY (c DESC)",
    ]

    private static func collection(_ elements: [UInt8]...) -> [UInt8] {
        elements.reduce([0, 0, 0, UInt8(elements.count)]) { $0 + [0, 0, 0, UInt8($1.count)] + $1 }
    }

    private static func entries(_ pairs: ([UInt8], [UInt8])...) -> [UInt8] {
        pairs.reduce([0, 0, 0, UInt8(pairs.count)]) {
            $0 + [0, 0, 0, UInt8($1.0.count)] + $1.0 + [0, 0, 0, UInt8($1.1.count)] + $1.1
        }
    }

    private static func fields(_ fields: [UInt8]?...) -> [UInt8] {
        fields.reduce([]) { $0 + ($1.map { [0, 0, 0, UInt8($0.count)] + $0 } ?? [255, 255, 255, 255]) }
    }

    private static let int: [UInt8] = [0, 0, 0, 7]
    private static let uuid: [UInt8] =
        [0x12, 0x3e, 0x45, 0x67, 0xe8, 0x9b, 0x12, 0xd3] + [0xa4, 0x56, 0x42, 0x66, 0x14, 0x17, 0x40, 0]

    private static let samples = [
        Sample(name: "ascii", type: "ascii", literals: ["'a'", "''"], values: [[0x41], []]),
        Sample(
            name: "bigint",
            type: "bigint",
            literals: ["1", "-9223372036854775808"],
            values: [[0, 0, 0, 0, 0, 0, 0, 1], [255, 255, 255, 255, 255, 255, 255, 254]]
        ),
        Sample(name: "blob", type: "blob", literals: ["0x", "0xcafe"], values: [[], [0, 255]]),
        Sample(name: "boolean", type: "boolean", literals: ["true", "false"], values: [[1], [0]]),
        Sample(
            name: "date",
            type: "date",
            literals: ["'2024-02-29'", "'1969-12-31'"],
            values: [[0x80, 0, 0, 0], [0x80, 0, 0x4d, 0x2f]]
        ),
        Sample(
            name: "decimal",
            type: "decimal",
            literals: ["1.50", "-0.001"],
            values: [[0, 0, 0, 2, 1], [0, 0, 0, 0, 0xff]]
        ),
        Sample(
            name: "double",
            type: "double",
            literals: ["1.5", "NaN"],
            values: [[0x3f, 0xf8, 0, 0, 0, 0, 0, 0], [0x80, 0, 0, 0, 0, 0, 0, 0]]
        ),
        Sample(
            name: "float",
            type: "float",
            literals: ["0.1", "-Infinity"],
            values: [[0x3f, 0xc0, 0, 0], [0, 0, 0, 0]]
        ),
        Sample(
            name: "inet",
            type: "inet",
            literals: ["'10.0.0.1'", "'::1'"],
            values: [[10, 0, 0, 1], [UInt8](repeating: 0, count: 15) + [1]]
        ),
        Sample(name: "int", type: "int", literals: ["0", "2147483647"], values: [int, [255, 255, 255, 255]]),
        Sample(name: "smallint", type: "smallint", literals: ["1", "-32768"], values: [[0, 1], [255, 254]]),
        Sample(name: "text", type: "text", literals: ["'Ä''ß'", "$$it's$$"], values: [Array("żółw".utf8), []]),
        Sample(
            name: "time",
            type: "time",
            literals: ["'08:12:54.123456789'", "'00:00:00'"],
            values: [[0, 0, 0, 0, 0, 0, 0, 1], [0, 0, 0, 1, 0, 0, 0, 0]]
        ),
        Sample(
            name: "stamp",
            type: "timestamp",
            literals: ["'2024-02-29T12:00:00.000+0000'", "0"],
            values: [[0, 0, 1, 0x8c, 0, 0, 0, 0], [255, 255, 255, 255, 255, 255, 255, 255]]
        ),
        Sample(
            name: "timeid",
            type: "timeuuid",
            literals: ["50554d6e-29bb-11e5-b345-feff819cdc9f", "123e4567-e89b-12d3-a456-426614174000"],
            values: [uuid, uuid]
        ),
        Sample(name: "tinyint", type: "tinyint", literals: ["1", "-128"], values: [[1], [255]]),
        Sample(
            name: "uuid",
            type: "uuid",
            literals: ["123e4567-e89b-42d3-a456-426614174000", "00000000-0000-4000-8000-000000000000"],
            values: [uuid, [UInt8](repeating: 1, count: 16)]
        ),
        Sample(
            name: "varint",
            type: "varint",
            literals: ["1", "-123456789012345678901234567890"],
            values: [[1], [0x80, 0]]
        ),
        Sample(name: "span", type: "duration", literals: ["1mo2d3ns", "P1Y"], values: [[2, 4, 6], [0, 0, 0]]),
        Sample(
            name: "many",
            type: "list<int>",
            literals: ["[1, 2, 1]", "[]"],
            values: [collection(int, int), collection()]
        ),
        Sample(
            name: "few",
            type: "set<text>",
            literals: ["{'b', 'a'}", "{}"],
            values: [collection([0x61], [0x62]), collection()]
        ),
        Sample(
            name: "named",
            type: "map<text, int>",
            literals: ["{'k': 1}", "{}"],
            values: [entries(([0x61], int)), entries()]
        ),
        Sample(
            name: "pair",
            type: "tuple<int, text>",
            literals: ["(1, 'x')", "(1, null)"],
            values: [fields(int, [0x78]), fields(nil, nil)]
        ),
        Sample(
            name: "place",
            type: "frozen<place>",
            literals: ["{street: 's', number: 1}", "{street: null}"],
            values: [fields([0x73], int), fields([0x73])]
        ),
        Sample(
            name: "deep",
            type: "frozen<map<int, frozen<list<text>>>>",
            literals: ["{1: ['a', 'b']}", "{}"],
            values: [entries((int, collection([0x61]))), entries()]
        ),
    ]

    private static func value(_ bytes: [UInt8]) -> BoundValue { .value(ByteBuffer(bytes: bytes)) }
    private static func key(_ number: Int) -> BoundValue { .value(ByteBuffer(integer: Int32(number))) }

    private static func steps(for sample: Sample, at index: Int) -> [Step] {
        let table = "d.t_\(sample.name)"
        let (one, other) = (sample.literals[0], sample.literals[1])
        let (bytes, more) = (Self.value(sample.values[0]), Self.value(sample.values[1]))
        let insert = "INSERT INTO \(table) (k, v) VALUES (?, ?)"
        let select = "SELECT k, v FROM \(table) WHERE k = ?"
        let update = "UPDATE \(table) USING TIMESTAMP ? SET v = ? WHERE k = ?"
        let conditional = "INSERT INTO \(table) (k, v) VALUES (?, ?) IF NOT EXISTS"
        var steps: [Step] = [
            .query("CREATE TABLE \(table) (k int PRIMARY KEY, v \(sample.type), w text)"),
            .query("INSERT INTO \(table) (k, v) VALUES (1, \(one))"),
            .query("INSERT INTO \(table) (k, v) VALUES (2, \(other)) USING TIMESTAMP 1000"),
            .query("SELECT * FROM \(table) WHERE k = 1"), .query("SELECT v, writetime(w) FROM \(table) WHERE k = 2"),
            .prepare(insert), .prepare(select), .prepare(update), .prepare(conditional),
            .execute(insert, [Self.key(3), bytes]), .execute(insert, [Self.key(4), more]),
            .execute(insert, [Self.key(5), .null]), .execute(insert, [Self.key(6), .unset]),
            .execute(select, [Self.key(3)]), .execute(select, [Self.key(4)], skipMetadata: true),
            .query(insert, [Self.key(7), bytes]), .query(select, [Self.key(7)]),
            .execute(update, [.value(ByteBuffer(integer: Int64(5_000))), more, Self.key(3)]),
            .execute(conditional, [Self.key(8), bytes]), .execute(conditional, [Self.key(8), more]),
            .query("UPDATE \(table) SET w = 'x' WHERE k = 8 IF w = null"),
            .query("UPDATE \(table) SET w = 'y' WHERE k = 8 IF w = 'z'"),
            .query("DELETE FROM \(table) WHERE k = 99 IF EXISTS"),
            .batch(.logged, [(insert, [Self.key(9), bytes]), ("DELETE v FROM \(table) WHERE k = 1", [])]),
            .batch(.unlogged, [("UPDATE \(table) SET w = ? WHERE k = ?", [Self.value([0x77]), Self.key(9)])]),
            .query("SELECT JSON k, v FROM \(table) WHERE k = 9"), .query("SELECT count(*) FROM \(table)"),
            .query("SELECT k, v FROM \(table)", pageSize: 3), .otherPages,
            .query("INSERT INTO \(table) (k, v) VALUES (1, {{})"), .query("ALTER TABLE \(table) ADD x int"),
            .execute(select, [Self.key(3)]), .query("SELECT * FROM \(table) WHERE k = 3", isTraced: true),
        ]
        if index % 4 == 0 { steps += [.query("TRUNCATE \(table)"), .query("SELECT k FROM \(table)")] }
        if index % 5 == 4 { steps += [.query("DROP TABLE \(table)"), .execute(select, [Self.key(3)])] }
        return steps
    }

    private static let pages: [Step] =
        (0..<25).map { row in
            .query(
                "INSERT INTO d.wide (p, c, s, v) VALUES (\(row % 2), \(row), 's\(row)', '\(row)') USING TIMESTAMP \(row + 1)"
            )
        } + [
            .query("SELECT * FROM d.wide WHERE p = 0", pageSize: 4), .otherPages,
            .query("SELECT DISTINCT p, s FROM d.wide", pageSize: 1), .otherPages,
            .query("SELECT * FROM d.wide WHERE p = 1 AND c > 5 AND c <= 15 ORDER BY c ASC LIMIT 3"),
            .query("SELECT c FROM d.wide WHERE p IN (0, 1) LIMIT 2"),
            .query("SELECT * FROM d.wide PER PARTITION LIMIT 1"),
            .query("DELETE FROM d.wide USING TIMESTAMP 2000 WHERE p = 0 AND c >= 4 AND c < 12"),
            .query("SELECT c, v FROM d.wide WHERE p = 0"),
            .query("SELECT max(c), min(v), sum(c) FROM d.wide WHERE p = 1"),
            .query("UPDATE d.counters SET n = n + 5 WHERE p = 'k'"),
            .query("UPDATE d.counters SET n = n - 2 WHERE p = 'k'"),
            .batch(
                .counter,
                [
                    (
                        "UPDATE d.counters SET n = n + ? WHERE p = ?",
                        [Self.value([0, 0, 0, 0, 0, 0, 0, 4]), Self.value([0x6b])]
                    )
                ]
            ),
            .query("SELECT * FROM d.counters"),
        ]

    private static let errors: [Step] = [
        .query("SELECT"), .query(""), .query("SELEC * FROM d.wide"), .query("SELECT * FROM d.nothing"),
        .query("SELECT * FROM nowhere.t"), .query("SELECT nope FROM d.wide"), .query("SELECT * FROM wide"),
        .query("INSERT INTO d.wide (p) VALUES (1)"), .query("INSERT INTO d.wide (p, c, v) VALUES ('x', 1, 'v')"),
        .query("SELECT * FROM d.wide WHERE v = 'x'"),
        .query("CREATE KEYSPACE d WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}"),
        .query("CREATE TABLE d.wide (p int PRIMARY KEY)"), .query("DROP TABLE d.nothing"), .query("USE nowhere"),
        .prepare("SELECT * FROM d.nothing"), .prepare("garbage"),
        .query("SELECT * FROM d.wide WHERE p = ?", [Self.value([1, 2])]),
        .query("SELECT * FROM d.wide WHERE p = ?"), .batch(.logged, [("SELECT * FROM d.wide", [])]),
        .batch(.logged, [("INSERT INTO d.nothing (p) VALUES (1)", [])]),
        .query("UPDATE d.counters SET n = 5 WHERE p = 'k'"),
        .query("INSERT INTO d.wide (p, c) VALUES (1, 1) USING TTL -1"), .query("GRANT nothing"),
    ]

    private static let rest: [Step] = [
        .frame(RequestFrame(request: .register([.schemaChange, .topologyChange]))),
        .frame(RequestFrame(request: .register([EventType(rawValue: "NOTHING")]))),
        .frame(
            RequestFrame(
                request: .query(
                    Query(
                        "SELECT c, v FROM d.wide WHERE p = 1",
                        parameters: QueryParameters(consistency: .serial, serialConsistency: .localSerial)
                    )
                )
            )
        ),
        .frame(
            RequestFrame(
                request: .query(
                    Query(
                        "INSERT INTO d.wide (p, c, v) VALUES (:first, :second, :third)",
                        parameters: QueryParameters(
                            consistency: .one,
                            values: .named([
                                .init(name: "third", value: Self.value([0x6e])),
                                .init(name: "first", value: Self.key(9)),
                                .init(name: "second", value: Self.key(1)),
                            ]),
                            defaultTimestamp: 7
                        )
                    )
                )
            )
        ),
        .query("SELECT * FROM d.wide WHERE p = 9"),
        .query("USE d"), .query("SELECT * FROM wide WHERE p = 0 LIMIT 1"), .query("USE \"d\""), .query("USE d;"),
        .frame(
            RequestFrame(
                customPayload: WireMap([.init(key: "k", value: ByteBuffer(string: "v"))]),
                request: .query(Query("SELECT c FROM d.wide WHERE p = 1 LIMIT 1"))
            )
        ),
        .query("SELECT keyspace_name, table_name FROM system_schema.tables WHERE keyspace_name = 'd'"),
        .query("CREATE INDEX ON d.wide (v)"), .query("DROP KEYSPACE d"), .query("SELECT * FROM d.wide"),
    ]
}
