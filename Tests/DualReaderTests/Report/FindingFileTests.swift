import FoundationEssentials
import NIOCore
import TestSupport
import Testing
import TokenRanges

@testable import DualReader

struct FindingFileTests {
    private static let table = TableName(keyspace: "k", table: "t\"\n")

    private static func finding(_ start: Int64, _ end: Int64, rows: Int, samples: Int = 0) -> Finding {
        var tally = CompareTally()
        tally.rows = rows
        tally.differences[.collectionElement] = samples
        let difference = Difference(
            kind: .collectionElement,
            aspect: .missingOnTarget,
            table: Self.table,
            place: RowPlace(key: [ByteBuffer(bytes: [0, 255]), ByteBuffer()], clustering: nil, token: start),
            column: "s",
            element: .key(ByteBuffer(bytes: [1])),
            source: .init(value: ByteBuffer(bytes: [7]), writetime: -5, expiresAt: 0),
            target: nil
        )
        return Finding(
            table: Self.table,
            range: TokenRange(start: start, end: end),
            tally: tally,
            samples: Array(repeating: difference, count: samples)
        )
    }

    @Test func `what was added is there when the file is opened again, but for a line that was cut`() throws {
        let folder = try TemporaryFolder()
        let path = "\(folder.path)/findings.jsonl"
        let all = [Self.finding(.min, 5, rows: 3, samples: 2), Self.finding(5, .max, rows: 4)]
        let file = try FindingFile(path: path)
        for finding in all { try file.add(finding) }
        #expect(file.findings() == all)
        #expect(try FindingFile(path: path).findings() == all)
        let whole = try Bytes.read(path)
        try Bytes.write(Array(whole.dropLast(20)), to: path)
        let again = try FindingFile(path: path)
        #expect(again.findings() == [all[0]])
        try again.add(all[1])
        #expect(try FindingFile(path: path).findings() == all)
        try again.clear()
        #expect(try FindingFile(path: path).findings() == [])
    }

    @Test func `samples are bounded, counts are not`() throws {
        let folder = try TemporaryFolder()
        let file = try FindingFile(path: "\(folder.path)/findings.jsonl", samplesPerClassMax: 3)
        for start in 0..<5 as Range<Int64> { try file.add(Self.finding(start, start + 1, rows: 1, samples: 2)) }
        #expect(file.findings().reduce(0) { $0 + $1.samples.count } == 3)
        #expect(file.findings().reduce(0) { $0 + $1.tally.differences.total } == 10)
    }

    @Test func `tokens that were compared anew count once`() {
        let all = [
            Self.finding(0, 10, rows: 1), Self.finding(10, 20, rows: 2), Self.finding(0, 5, rows: 4),
            Self.finding(5, 12, rows: 8), Self.finding(30, 40, rows: 16),
        ]
        #expect(CompareReport.valid(all).map(\.tally.rows) == [4, 8, 16])
    }
}

/// Files as bytes.
private enum Bytes {
    static func read(_ path: String) throws -> [UInt8] { Array(try String(contentsOfFile: path, encoding: .utf8).utf8) }
    static func write(_ bytes: [UInt8], to path: String) throws {
        try String(decoding: bytes, as: UTF8.self).write(toFile: path, atomically: true, encoding: .utf8)
    }
}
