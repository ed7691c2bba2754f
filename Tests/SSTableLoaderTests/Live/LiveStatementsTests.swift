import NIOCore
import Testing

@testable import LiveTables
@testable import SSTableLoader

/// From a live source's rows to statements: told times exactly, others by the rule.
struct LiveStatementsTests {
    private static let source = LiveTable(
        keyspace: "k",
        name: "t",
        partitionKey: ["p"],
        clustering: [.init(name: "c")],
        columns: [.init("a"), .init("b"), .init("m", .map), .init("l", .list), .init("u", .userType(["x", "y"]))],
        defaultTimeToLive: 900
    )

    private static func bytes(_ text: String) -> ByteBuffer { ByteBuffer(string: text) }

    private static func cell(_ text: String, _ timestamp: Int64, life: Int32 = 0) -> LiveCell {
        LiveCell(Self.bytes(text), .one(LiveTime(timestamp, timeToLive: life)))
    }

    private static func collection(_ elements: [String], entries: Int) -> ByteBuffer {
        var bytes = ByteBuffer(integer: Int32(entries))
        for element in elements { bytes.writeElement(Self.bytes(element)) }
        return bytes
    }

    /// Statements as text and values: of 8 bytes and of 4 as numbers.
    private static func lines(
        a: LiveCell? = nil,
        b: LiveCell? = nil,
        m: LiveCell? = nil,
        l: LiveCell? = nil,
        u: LiveCell? = nil,
        readAt: Int64 = 100,
        now: Int64 = 100,
        hasListIndexes: Bool = false,
        result: inout Translation,
        _ change: (inout LiveStatements.Options) -> Void = { _ in }
    ) -> [String] {
        var options = LiveStatements.Options(beginning: 77)
        change(&options)
        var statements = LiveStatements(Self.source, Self.source.target(hasListIndexes: hasListIndexes), options)
        var part = LivePart(key: [Self.bytes("P")], token: 1, statics: [])
        // Columns lie by name: a, b, l, m, u.
        part.rows = [LiveRow(clustering: [Self.bytes("C")], cells: [a, b, l, m, u])]
        statements.add(part, readAt: readAt, now: now, into: &result)
        return result.statements.map { statement in
            let values = statement.values.map { value -> String in
                guard let value else { return "null" }
                switch value.readableBytes {
                case 8: return "\(value.getInteger(at: value.readerIndex, as: Int64.self) ?? 0)"
                case 4: return "\(value.getInteger(at: value.readerIndex, as: Int32.self) ?? 0)"
                default: return String(buffer: value)
                }
            }
            let words = statement.text.split(separator: " ")
            let what =
                words[0] == "INSERT"
                ? "INSERT \(statement.text.split(separator: "(")[1].split(separator: ")")[0])"
                : "UPDATE \(statement.text.split(separator: " SET ")[1].split(separator: " WHERE")[0])"
            return "\(what) [\(values.joined(separator: ", "))]"
        }
    }

    @Test func `cells of one time are one statement and the oldest make the row exist`() {
        var result = Translation()
        let lines = Self.lines(a: Self.cell("x", 9), b: Self.cell("y", 5, life: 60), result: &result)
        #expect(
            lines == [
                #"INSERT "p", "c", "b" [P, C, y, 5, 60]"#,
                #"UPDATE "a" = ? [9, 0, x, P, C]"#,
            ]
        )
        #expect(result.guessedColumns == 0 && result.guessedMarkers == 0)
    }

    @Test func `lives are shorter by the time since the read and null is not written`() {
        var result = Translation()
        let cell = Self.cell("x", 9, life: 60)
        #expect(
            Self.lines(a: cell, readAt: 100, now: 130, result: &result) == [#"INSERT "p", "c", "a" [P, C, x, 9, 30]"#]
        )
        result = Translation()
        #expect(
            Self.lines(a: cell, readAt: 100, now: 900, result: &result) == [#"INSERT "p", "c", "a" [P, C, x, 9, 1]"#]
        )
    }

    @Test func `nothing is above the ceiling and a row that dual writing touched still exists below it`() {
        var result = Translation()
        let lines = Self.lines(a: Self.cell("x", 9), b: Self.cell("y", 20), result: &result) { $0.ceiling = 10 }
        #expect(lines == [#"INSERT "p", "c", "a" [P, C, x, 9, 0]"#])
        #expect(result.aboveCeiling == 1)
        result = Translation()
        #expect(
            Self.lines(a: Self.cell("x", 20, life: 60), result: &result) { $0.ceiling = 10 }
                == [#"INSERT "p", "c" [P, C, 10, 60]"#]
        )
    }

    @Test func `a row without cells exists since the ceiling or the beginning`() {
        var result = Translation()
        #expect(Self.lines(result: &result) == [#"INSERT "p", "c" [P, C, 77, 900]"#])
        #expect(result.guessedMarkers == 1)
        result = Translation()
        #expect(Self.lines(result: &result) { $0.ceiling = 10 } == [#"INSERT "p", "c" [P, C, 10, 900]"#])
    }

    @Test func `rows that were written by UPDATE can stay without markers`() {
        var result = Translation()
        let lines = Self.lines(a: Self.cell("x", 9), result: &result) { $0.markers = .withoutCells }
        #expect(lines == [#"UPDATE "a" = ? [9, 0, x, P, C]"#])
        result = Translation()
        #expect(Self.lines(result: &result) { $0.markers = .withoutCells }.count == 1)
    }

    @Test func `elements have their own times where the source tells them`() {
        var result = Translation()
        let map = Self.collection(["kone", "vone!", "ktwo!", "vtwo!", "kthree", "vthree"], entries: 3)
        let times: [LiveTime?] = [LiveTime(5), LiveTime(7, timeToLive: 30), LiveTime(50)]
        let lines = Self.lines(a: Self.cell("x", 5), m: LiveCell(map, .each(times)), result: &result) {
            $0.ceiling = 10
        }
        let one = String(buffer: Self.collection(["kone", "vone!"], entries: 1))
        let two = String(buffer: Self.collection(["ktwo!", "vtwo!"], entries: 1))
        #expect(
            lines == [
                #"INSERT "p", "c", "a" [P, C, x, 5, 0]"#,
                #"UPDATE "m" = "m" + ? [5, 0, \#(one), P, C]"#,
                #"UPDATE "m" = "m" + ? [7, 30, \#(two), P, C]"#,
            ]
        )
        #expect(result.aboveCeiling == 1 && result.guessedColumns == 0)
    }

    @Test func `a collection without times has the newest of the row and ends with the last of its columns`() {
        let map = Self.collection(["kone!", "vone!"], entries: 1)
        var result = Translation()
        let cells = (Self.cell("x", 5, life: 20), Self.cell("y", 9, life: 10))
        var lines = Self.lines(a: cells.0, b: cells.1, m: LiveCell(map, .unknown), result: &result)
        #expect(lines.last == #"UPDATE "m" = "m" + ? [9, 20, \#(String(buffer: map)), P, C]"#)
        #expect(result.guessedColumns == 1)
        result = Translation()
        lines = Self.lines(a: cells.0, b: Self.cell("y", 99), m: LiveCell(map, .unknown), result: &result) {
            $0.ceiling = 50
        }
        #expect(lines.last == #"UPDATE "m" = "m" + ? [50, 0, \#(String(buffer: map)), P, C]"#)
        result = Translation()
        lines = Self.lines(a: cells.0, m: LiveCell(map, .unknown), result: &result) {
            $0.ceiling = 50
            $0.untoldTime = .ceiling
        }
        #expect(lines.last == #"UPDATE "m" = "m" + ? [50, 20, \#(String(buffer: map)), P, C]"#)
        result = Translation()
        lines = Self.lines(m: LiveCell(map, .unknown), result: &result)
        #expect(
            lines == [
                #"INSERT "p", "c" [P, C, 77, 900]"#,
                #"UPDATE "m" = "m" + ? [77, 900, \#(String(buffer: map)), P, C]"#,
            ]
        )
        #expect(result.guessedMarkers == 0)
    }

    @Test func `fields are written each for itself and null ones not at all`() {
        var user = ByteBuffer()
        user.writeInteger(Int32(-1))
        user.writeElement(Self.bytes("why?!"))
        var result = Translation()
        let lines = Self.lines(u: LiveCell(user, .each([nil, LiveTime(8)])), result: &result)
        #expect(lines == [#"INSERT "p", "c" [P, C, 8, 0]"#, #"UPDATE "u"."y" = ? [8, 0, why?!, P, C]"#])
    }

    @Test func `a list replaces what an earlier attempt has left of it`() {
        let list = Self.collection(["first", "second"], entries: 2)
        let cell = LiveCell(list, .each([LiveTime(5_000), LiveTime(4_000)]))
        var timestamps: [Int64] = []
        for attempt in [0, 1, 5_000] as [Int64] {
            var result = Translation()
            _ = Self.lines(l: cell, result: &result) {
                $0.attempt = attempt
                $0.ceiling = 5_500
            }
            #expect(result.flattenedLists == 1)
            let lists = result.statements.filter { !$0.isIdempotent }
            #expect(lists.count == 1)
            timestamps += lists.map(\.timestamp)
        }
        #expect(timestamps == [4_501, 4_502, 5_500], "later each time, never above the ceiling")
    }

    @Test func `elements of lists have the same places every time, between what is prepended and appended`() {
        let list = Self.collection(["first", "second"], entries: 2)
        let cell = LiveCell(list, .each([LiveTime(5), LiveTime(4)]))
        var (first, second) = (Translation(), Translation())
        _ = Self.lines(l: cell, hasListIndexes: true, result: &first)
        _ = Self.lines(l: cell, hasListIndexes: true, result: &second)
        #expect(first.statements == second.statements)
        #expect(!first.statements.contains { !$0.isIdempotent })
        #expect(first.statements.count { $0.text.contains("SCYLLA_TIMEUUID_LIST_INDEX(?)") } == 2)
        // Seconds from 1970 to 2010, and from 1582-10-15 to 1970.
        let place = ListPlace.uuid(1)
        #expect(place.readableBytes == 16)
        #expect(place.getInteger(at: 6, as: UInt16.self).map { $0 >> 12 } == 1, "version 1")
        let time = (1_262_304_000 + 12_219_292_800) * 10_000_000 + 1
        #expect(place.getInteger(at: 0, as: UInt32.self) == UInt32(truncatingIfNeeded: time))
        #expect(place.getInteger(at: 4, as: UInt16.self) == UInt16(truncatingIfNeeded: time >> 32))
    }

    @Test func `a counter gets what it lacks and nothing where it lacks nothing`() throws {
        let table = LiveTable(
            keyspace: "k",
            name: "t",
            partitionKey: ["p"],
            columns: [.init("n", .counter), .init("o", .counter)]
        )
        var counters = LiveCounters(table, table.target())
        #expect(counters.readText(isStatic: false) == #"SELECT "n", "o" FROM "k"."t" WHERE "p" = ?"#)
        func number(_ value: Int64) -> ByteBuffer { ByteBuffer(integer: value) }
        func difference(_ wanted: [Int64?], _ have: [Int64?]?) -> TargetStatement? {
            counters.difference(
                key: [number(1)],
                clustering: [],
                wanted.map { $0.map { LiveCell(number($0), .unknown) } },
                target: have?.map { $0.map(number) },
                isStatic: false
            )
        }
        let all = try #require(difference([5, -3], nil))
        #expect(all.text == #"UPDATE "k"."t" SET "n" = "n" + ?, "o" = "o" + ? WHERE "p" = ?"#)
        #expect(all.values == [number(5), number(-3), number(1)])
        #expect(all.isCounter && !all.isIdempotent)
        #expect(try #require(difference([5, nil], [2, 9])).values == [number(3), number(1)])
        #expect(difference([5, -3], [5, -3]) == nil)
        #expect(difference([nil, nil], nil) == nil)
    }
}
