import CQLProtocol
import NIOCore
import Testing

@testable import LiveTables
@testable import SSTable
@testable import SSTableLoader

/// From rows to statements: every cell with its own timestamp and life.
struct StatementBuilderTests {
    private static let now: Int64 = 1_000
    private static let table = TargetTable(
        keyspace: "ks",
        name: "T",
        partitionKey: ["p"],
        clustering: [.init(name: "c")],
        columns: ["s", "a", "b", "m", "st", "l", "u", "n"]
    )

    private static func builder(
        _ table: TargetTable = Self.table,
        regulars: [(String, String)] = [("a", "UTF8Type"), ("b", "UTF8Type"), ("gone", "UTF8Type")],
        _ change: (inout StatementBuilder.Options) -> Void = { _ in }
    ) throws -> StatementBuilder {
        var options = StatementBuilder.Options(now: Self.now)
        change(&options)
        let columns = try columns(clustering: ["Int32Type"], statics: [("s", "UTF8Type")], regulars: regulars)
        return StatementBuilder(columns, table, options)
    }

    private static func partition(_ deletion: DeletionTime = .live) -> Partition {
        Partition(key: ByteBuffer(bytes: [0, 0, 0, 9]), .murmur3, deletion: deletion, position: 0)
    }

    /// Text and values, numbers of eight and four bytes as numbers.
    private static func lines(_ translation: Translation) -> [String] {
        translation.statements.map { statement in
            let values = statement.values.map { value -> String in
                guard let value else { return "null" }
                switch value.readableBytes {
                case 8: return "\(value.getInteger(at: value.readerIndex, as: Int64.self) ?? 0)"
                case 4: return "\(value.getInteger(at: value.readerIndex, as: Int32.self) ?? 0)"
                default: return "'\(String(buffer: value))'"
                }
            }
            return "\(statement.text) [\(values.joined(separator: ", "))]"
        }
    }

    private static func translate(_ builder: StatementBuilder, _ row: TableRow) -> Translation {
        var (builder, result) = (builder, Translation())
        builder.begin(Self.partition(), into: &result)
        builder.add(row, into: &result)
        return result
    }

    private static let clustering: [[UInt8]?] = [[0, 0, 0, 1]]

    @Test func `a row that was inserted at once is one statement`() throws {
        let row = RowMaker(Self.clustering).with {
            $0.live(5)
            $0.cell(0, Array("x".utf8), 5)
            $0.cell(1, Array("y".utf8), 5)
            $0.cell(2, Array("z".utf8), 5)
        }
        #expect(
            Self.lines(Self.translate(try Self.builder(), row)) == [
                #"INSERT INTO "ks"."T" ("p", "c", "a", "b") VALUES (?, ?, ?, ?) USING TIMESTAMP ? AND TTL ? [9, 1, 'x', 'y', 5, 0]"#
            ],
            "what was dropped is left out, and no default time to live applies"
        )
    }

    @Test func `cells of other timestamps and lives are statements of their own`() throws {
        let row = RowMaker(Self.clustering).with {
            $0.live(5, timeToLive: 100, until: 1_050)
            $0.cell(0, Array("x".utf8), 5, until: 1_050)
            $0.cell(1, Array("y".utf8), 7)
        }
        #expect(
            Self.lines(Self.translate(try Self.builder(), row)) == [
                #"INSERT INTO "ks"."T" ("p", "c", "a") VALUES (?, ?, ?) USING TIMESTAMP ? AND TTL ? [9, 1, 'x', 5, 50]"#,
                #"UPDATE "ks"."T" USING TIMESTAMP ? AND TTL ? SET "b" = ? WHERE "p" = ? AND "c" = ? [7, 0, 'y', 9, 1]"#,
            ]
        )
        let same = RowMaker(Self.clustering).with {
            $0.live(5)
            $0.cell(0, Array("x".utf8), 5, until: 1_050)
        }
        #expect(Self.translate(try Self.builder(), same).statements.count == 2, "one timestamp, two lives")
    }

    @Test func `without a liveness no row is made to exist`() throws {
        let row = RowMaker(Self.clustering).with { $0.cell(0, Array("x".utf8), 5) }
        let lines = Self.lines(Self.translate(try Self.builder(), row))
        #expect(lines.count == 1 && lines[0].hasPrefix("UPDATE"))
        let bare = RowMaker(Self.clustering).with { $0.live(5) }
        #expect(
            Self.lines(Self.translate(try Self.builder(), bare))
                == [#"INSERT INTO "ks"."T" ("p", "c") VALUES (?, ?) USING TIMESTAMP ? AND TTL ? [9, 1, 5, 0]"#]
        )
    }

    @Test func `deletions have their own timestamps`() throws {
        let row = RowMaker(Self.clustering).with {
            $0.deleted(3)
            $0.tombstone(0, 4)
            $0.tombstone(1, 4)
        }
        #expect(
            Self.lines(Self.translate(try Self.builder(), row)) == [
                #"DELETE FROM "ks"."T" USING TIMESTAMP ? WHERE "p" = ? AND "c" = ? [3, 9, 1]"#,
                #"DELETE "a", "b" FROM "ks"."T" USING TIMESTAMP ? WHERE "p" = ? AND "c" = ? [4, 9, 1]"#,
            ]
        )
        var (builder, result) = (try Self.builder(), Translation())
        builder.begin(Self.partition(.init(timestamp: 2, localDeletionTime: 1)), into: &result)
        #expect(Self.lines(result) == [#"DELETE FROM "ks"."T" USING TIMESTAMP ? WHERE "p" = ? [2, 9]"#])
    }

    @Test func `what has expired deletes what is older, and a row that has ended lives for one more second`() throws {
        let row = RowMaker(Self.clustering).with {
            $0.live(5, timeToLive: 10, until: Self.now)
            $0.cell(0, Array("x".utf8), 6, until: Self.now)
        }
        #expect(
            Self.lines(Self.translate(try Self.builder(), row)) == [
                #"INSERT INTO "ks"."T" ("p", "c") VALUES (?, ?) USING TIMESTAMP ? AND TTL ? [9, 1, 5, 1]"#,
                #"DELETE "a" FROM "ks"."T" USING TIMESTAMP ? WHERE "p" = ? AND "c" = ? [6, 9, 1]"#,
            ]
        )
    }

    @Test func `static cells need no clustering`() throws {
        let row = RowMaker(isStatic: true).with { $0.cell(0, Array("x".utf8), 5) }
        #expect(
            Self.lines(Self.translate(try Self.builder(), row))
                == [#"UPDATE "ks"."T" USING TIMESTAMP ? AND TTL ? SET "s" = ? WHERE "p" = ? [5, 0, 'x', 9]"#]
        )
    }

    @Test func `elements of a collection are added, and its deletion stands before them`() throws {
        let builder = try Self.builder(regulars: [
            ("m", "MapType(UTF8Type,UTF8Type)"), ("st", "SetType(UTF8Type)"),
        ])
        let row = RowMaker(Self.clustering).with {
            $0.deletedCollection(0, 4)
            $0.cell(0, Array("v1".utf8), path: Array("k1".utf8), 5)
            $0.cell(0, Array("v2".utf8), path: Array("k2".utf8), 5)
            $0.tombstone(0, path: Array("k3".utf8), 6)
            $0.cell(1, [], path: Array("e".utf8), 5)
        }
        let translation = Self.translate(builder, row)
        #expect(
            translation.statements.map(\.text) == [
                #"UPDATE "ks"."T" USING TIMESTAMP ? AND TTL ? SET "m" = "m" + ?, "st" = "st" + ? WHERE "p" = ? AND "c" = ?"#,
                #"DELETE "m" FROM "ks"."T" USING TIMESTAMP ? WHERE "p" = ? AND "c" = ?"#,
                #"DELETE "m"[?] FROM "ks"."T" USING TIMESTAMP ? WHERE "p" = ? AND "c" = ?"#,
            ]
        )
        let map = try CQLValue(decoding: translation.statements[0].values[2], as: .map(.varchar, .varchar))
        #expect(
            map
                == .map([
                    .init(key: .text("k1"), value: .text("v1")), .init(key: .text("k2"), value: .text("v2")),
                ])
        )
        let set = try CQLValue(decoding: translation.statements[0].values[3], as: .set(.varchar))
        #expect(set == .set([.text("e")]))
        #expect(translation.statements.map(\.timestamp) == [5, 4, 6])
        #expect(translation.statements[2].values.first == ByteBuffer(string: "k3"), "the markers' order")
    }

    @Test func `a large collection is several statements`() throws {
        let builder = try Self.builder(regulars: [("st", "SetType(UTF8Type)")]) { $0.elementsPerStatementMax = 10 }
        let row = RowMaker(Self.clustering).with { maker in
            for element in 0..<95 { maker.cell(0, [], path: Array("e\(element)".utf8), 5) }
        }
        let translation = Self.translate(builder, row)
        var elements = 0
        for value in translation.statements.flatMap(\.values) {
            guard case .set(let part) = try? CQLValue(decoding: value, as: .set(.varchar)), part.count > 1 else {
                continue
            }
            #expect(part.count <= 10)
            elements += part.count
        }
        #expect(elements == 95)
    }

    @Test func `fields of a user-defined type are written one by one`() throws {
        let builder = try Self.builder(regulars: [("u", "UserType(6b73,74,78:Int32Type,4162:UTF8Type)")])
        let row = RowMaker(Self.clustering).with {
            $0.cell(0, [0, 0, 0, 3], path: [0, 0], 5)
            $0.tombstone(0, path: [0, 1], 6)
        }
        #expect(
            Self.lines(Self.translate(builder, row)) == [
                #"UPDATE "ks"."T" USING TIMESTAMP ? AND TTL ? SET "u"."x" = ? WHERE "p" = ? AND "c" = ? [5, 0, 3, 9, 1]"#,
                #"DELETE "u"."Ab" FROM "ks"."T" USING TIMESTAMP ? WHERE "p" = ? AND "c" = ? [6, 9, 1]"#,
            ]
        )
    }

    @Test func `a list is written by its places, or as a whole and never twice`() throws {
        let row = RowMaker(Self.clustering).with {
            $0.deletedCollection(0, 4)
            $0.cell(0, [0, 0, 0, 1], path: [UInt8](repeating: 1, count: 16), 5)
            $0.cell(0, [0, 0, 0, 2], path: [UInt8](repeating: 2, count: 16), 6)
        }
        let whole = Self.translate(try Self.builder(regulars: [("l", "ListType(Int32Type)")]), row)
        #expect(
            whole.statements.map(\.text) == [
                #"UPDATE "ks"."T" USING TIMESTAMP ? AND TTL ? SET "l" = ? WHERE "p" = ? AND "c" = ?"#
            ]
        )
        #expect(whole.statements[0].timestamp == 6 && !whole.statements[0].isIdempotent && whole.flattenedLists == 1)
        #expect(try CQLValue(decoding: whole.statements[0].values[2], as: .list(.int)) == .list([.int(1), .int(2)]))
        var scylla = Self.table
        scylla.hasListIndexes = true
        let places = Self.translate(try Self.builder(scylla, regulars: [("l", "ListType(Int32Type)")]), row)
        let text =
            #"UPDATE "ks"."T" USING TIMESTAMP ? AND TTL ? SET "l"[SCYLLA_TIMEUUID_LIST_INDEX(?)] = ? WHERE "p" = ? AND "c" = ?"#
        #expect(places.statements.filter { $0.text == text }.map(\.timestamp) == [5, 6])
        #expect(places.statements.allSatisfy(\.isIdempotent) && places.flattenedLists == 0)
    }

    @Test func `nothing above the ceiling is written`() throws {
        let builder = try Self.builder { $0.ceiling = 5 }
        let row = RowMaker(Self.clustering).with {
            $0.live(6)
            $0.cell(0, Array("x".utf8), 5)
            $0.cell(1, Array("y".utf8), 6)
        }
        let translation = Self.translate(builder, row)
        #expect(translation.statements.map(\.timestamp) == [5])
        #expect(translation.aboveCeiling == 2)
    }

    @Test func `what no statement can carry is told`() throws {
        let counters = try Self.builder(regulars: [("n", "CounterColumnType")])
        let counter = RowMaker(Self.clustering).with { $0.cell(0, [0], 5) }
        #expect(Self.translate(counters, counter).unloadable == [.init(reason: .counter, column: "n")])
        let missing = RowMaker([nil]).with { $0.live(5) }
        #expect(Self.translate(try Self.builder(), missing).unloadable == [.init(reason: .nullClustering)])
        var table = Self.table
        table.partitionKey = ["p", "q"]
        var (builder, result) = (try Self.builder(table), Translation())
        builder.begin(Self.partition(), into: &result)
        #expect(result.unloadable == [.init(reason: .key)] && result.statements.isEmpty)
    }
}
