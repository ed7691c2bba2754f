import FoundationEssentials
import SSTable
import TestSupport
import Testing

/// `sstabledump` of a real server says what is right.
@Suite(.enabled(if: RecordedTables.areThere, "the recorded fixtures are not here"))
struct DumpTests {
    @Test(arguments: RecordedTables.all.filter { $0.json != nil })
    func `every recorded SSTable is written as sstabledump wrote it`(_ recorded: RecordedTables.Recorded) throws {
        let expected = try String(contentsOfFile: #require(recorded.json), encoding: .utf8)
        let written = try RecordedTables.dump(try SSTable(dataFile: recorded.data))
        // Not `==` within the expectation: its message would hold both texts.
        let isEqual = written == expected
        #expect(isEqual, "\(Self.difference(written, expected))")
    }

    /// Where two texts part.
    private static func difference(_ written: String, _ expected: String) -> String {
        let common = zip(written.utf8, expected.utf8).prefix { $0 == $1 }.count
        let (a, b) = (written.utf8.dropFirst(max(0, common - 60)), expected.utf8.dropFirst(max(0, common - 60)))
        return "byte \(common): …\(String(decoding: a.prefix(120), as: UTF8.self))… for …"
            + "\(String(decoding: b.prefix(120), as: UTF8.self))…"
    }

    @Test func `keys alone are one line each`() throws {
        let table = try SSTable(dataFile: RecordedTables.named("4.1/deletions").data)
        let text = try RecordedTables.dump(table) { $0.keysOnly = true }
        #expect(text.hasPrefix("[ [ \"5\" ], [ \"99\" ], [ \"1\" ]"))
        #expect(text.hasSuffix("\n]"))
    }

    @Test func `keys are chosen and left out as they are shown`() throws {
        let table = try SSTable(dataFile: RecordedTables.named("4.1/wide").data)
        let chosen = try RecordedTables.dump(table) {
            $0.keysOnly = true
            $0.keys = ["solo:2024-02-29"]
        }
        #expect(chosen == "[ [ \"solo\", \"2024-02-29\" ]\n]")
        let rest = try RecordedTables.dump(table) {
            $0.keysOnly = true
            $0.excludedKeys = ["solo:2024-02-29"]
        }
        #expect(!rest.contains("solo") && rest.contains("static-only"))
        let none = try RecordedTables.dump(table) { $0.keys = ["nobody"] }
        #expect(none == "[ ]")
    }

    @Test func `each line is a partition of its own`() throws {
        let table = try SSTable(dataFile: RecordedTables.named("4.1/expiring").data)
        let lines = try RecordedTables.dump(table) { $0.lines = true }.split(separator: "\n")
        #expect(lines.count == 3)
        #expect(
            lines[1]
                == #"{"partition":{"key":["2"],"position":47},"rows":[{"type":"row","position":65,"liveness_info":"#
                + #"{"tstamp":"2023-11-14T22:13:20Z","ttl":330000000,"expires_at":"2037-05-08T19:47:12Z","expired":false},"#
                + #""cells":[{"name":"a","value":"row ttl"},{"name":"b","value":"x"}]}]}"#
        )
    }

    @Test func `each line is a partition of its own where portions end between them, too`() throws {
        // Each of the long ones fills a portion, so that it is written before the next one begins.
        var writer = SSTableWriter()
        writer.regulars = [.init(name: "a", type: "UTF8Type")]
        let value = [UInt8](repeating: 65, count: 100_000)
        let folder = try TemporaryFolder()
        let path = try writer.write(
            (0..<6).map { (key: UInt8) in
                let cells: [SSTableWriter.Cell] = [.init(column: 0, timestamp: 5, value: key < 3 ? value : [65])]
                return .init(key: [key], items: [.row(.init(liveness: .init(timestamp: 5), cells: cells))])
            },
            to: folder
        )
        let text = try RecordedTables.dump(try SSTable(dataFile: path)) { $0.lines = true }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count == 7 && lines.last == "")
        for (key, line) in lines.dropLast().enumerated() {
            #expect(line.hasPrefix("{\"partition\":{\"key\":[\"0\(key)\"]"))
        }
    }

    @Test func `times can be numbers, and what has expired is told by the clock`() throws {
        let table = try SSTable(dataFile: RecordedTables.named("4.1/expiring").data)
        let text = try RecordedTables.dump(table) {
            $0.rawTimes = true
            $0.now = 4_000_000_000
        }
        #expect(
            text.contains(
                #""tstamp" : "1700000000000000", "ttl" : 340000000, "expires_at" : "2135424832", "expired" : true"#
            )
        )
    }

    @Test func `counters can be shown as what they have counted`() throws {
        let table = try SSTable(dataFile: RecordedTables.named("4.1/hits").data)
        let text = try RecordedTables.dump(table) { $0.counterTotals = true }
        #expect(text.contains(#"{ "name" : "n", "value" : "#))
        #expect(!text.contains("422216548260949"))
    }

    /// Lines without positions, and without the commas that depend on what follows.
    private static func withoutPositions(_ text: String) -> [Substring] {
        text.split(separator: "\n").filter { !$0.contains("\"position\" :") }.map {
            $0.last == "," ? $0.dropLast() : $0
        }
    }

    @Test(arguments: RecordedTables.all)
    func `one SSTable alone is the table that it is merged into`(_ recorded: RecordedTables.Recorded) throws {
        let table = try SSTable(dataFile: recorded.data)
        var options = SSTableDump.Options(now: RecordedTables.recordedAt)
        options.tableKind = table.tableKind
        let twice = try RecordedTables.dump(try TableMerge([table, table]), options)
        let isEqual = Self.withoutPositions(twice) == Self.withoutPositions(try RecordedTables.dump(table))
        #expect(isEqual)
    }
}
