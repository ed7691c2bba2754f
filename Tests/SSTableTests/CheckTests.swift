import FoundationEssentials
import TestSupport
import Testing

@testable import SSTable

/// `SSTableCheck`: what it counts, and that it finds what is damaged.
struct CheckTests {
    typealias Writer = SSTableWriter

    /// Occurrences of a text in another one.
    private static func count(_ part: String, in text: String) -> Int64 {
        Int64(text.split(separator: part, omittingEmptySubsequences: false).count - 1)
    }

    @Test(
        .enabled(if: RecordedTables.areThere, "the recorded fixtures are not here"),
        arguments: RecordedTables.all.filter { $0.json != nil }
    )
    func `it counts what sstabledump of the real server shows`(_ recorded: RecordedTables.Recorded) throws {
        let json = try String(contentsOfFile: #require(recorded.json), encoding: .utf8)
        let check = SSTableCheck(try SSTableName(dataFile: recorded.data))
        #expect(check.damage == nil)
        #expect(check.contents.partitions == Self.count("\"partition\" : {", in: json))
        #expect(check.contents.staticRows == Self.count("\"type\" : \"static_block\"", in: json))
        #expect(check.contents.rows - check.contents.staticRows == Self.count("\"type\" : \"row\"", in: json))
        let named = json.split(separator: "{ \"name\" : ").dropFirst().map { $0.prefix { $0 != "\n" } }
        let collections = named.count { $0.contains("\"deletion_info\" : { \"marked_deleted\"") }
        #expect(check.contents.collectionTombstones == Int64(collections))
        #expect(check.contents.cells == Int64(named.count - collections))
        let table = try SSTable(dataFile: recorded.data)
        #expect(check.contents.plainBytes == table.dataLength)
    }

    @Test func `every kind of deletion is counted, and every timestamp is seen`() throws {
        var writer = Writer()
        writer.clustering = [.init(name: "c", type: "BytesType")]
        writer.statics = [.init(name: "s", type: "UTF8Type")]
        writer.regulars = [.init(name: "a", type: "UTF8Type"), .init(name: "m", type: "SetType(UTF8Type)")]
        let deletion = Writer.Deletion(timestamp: 40, local: 1_500_000_000)
        let row = Writer.Row(
            clustering: [[2]],
            liveness: .init(timestamp: 20),
            deletion: .init(timestamp: 10, local: 1_500_000_000),
            complexDeletions: [1: .init(timestamp: 19, local: 1_500_000_000)],
            cells: [
                .init(column: 0, timestamp: 30, kind: .tombstone(local: 1_500_000_000)),
                .init(column: 1, path: [7], timestamp: 90, kind: .expiring(timeToLive: 5, at: 1_500_000_000)),
            ]
        )
        let folder = try TemporaryFolder()
        let path = try writer.write(
            [
                .init(
                    key: [1],
                    deletion: .init(timestamp: 3, local: 1_500_000_000),
                    statics: .init(cells: [.init(column: 0, timestamp: 50, value: [65])]),
                    items: [
                        .marker(.init(kind: 1, clustering: [[1]], opens: deletion)),
                        .marker(.init(kind: 6, clustering: [[1]], closes: deletion)), .row(row),
                    ]
                ), .init(key: [2]),
            ],
            to: folder
        )
        let check = SSTableCheck(try SSTableName(dataFile: path))
        #expect(check.damage == nil)
        let contents = check.contents
        #expect(contents.partitions == 2 && contents.rows == 2 && contents.staticRows == 1 && contents.cells == 3)
        #expect(contents.expiringCells == 1 && contents.cellTombstones == 1 && contents.collectionTombstones == 1)
        #expect(contents.rowTombstones == 1 && contents.rangeTombstones == 1 && contents.partitionTombstones == 1)
        #expect(contents.tombstones == 5)
        #expect(contents.timestamps == 3...90)
        var both = contents
        both.add(contents)
        #expect(both.tombstones == 10 && both.cells == 6 && both.timestamps == 3...90)
    }

    @Test func `what comes before the damage is counted, and the place is named`() throws {
        let folder = try TemporaryFolder()
        let path = try Writer().write((0..<9).map { .init(key: [$0]) }, to: folder)
        let whole = try Data(contentsOf: URL(filePath: path))
        // Of the last one the end, and of its deletion two bytes of twelve.
        try folder.put("nb-1-big-Data.db", whole.dropLast(3))
        let check = SSTableCheck(try SSTableName(dataFile: path))
        #expect(check.contents.partitions == 8)
        #expect(check.damage?.code == .truncated && check.damage?.path == path)
        let last = whole.count / 9 * 8..<whole.count
        #expect(check.damage?.offset.map { last.contains(Int($0)) } ?? false)
    }

    @Test func `the checksum of the file is compared, whatever the rest says`() throws {
        let folder = try TemporaryFolder()
        let path = try Writer().write((0..<9).map { .init(key: [$0]) }, to: folder)
        let sum = Writer.checksum([UInt8](try Data(contentsOf: URL(filePath: path))))
        try folder.put("nb-1-big-Digest.crc32", Data("\(sum)\n".utf8))
        #expect(SSTableCheck(try SSTableName(dataFile: path)).damage == nil)
        try folder.put("nb-1-big-Digest.crc32", Data("\(sum ^ 1)".utf8))
        let check = SSTableCheck(try SSTableName(dataFile: path))
        #expect(check.damage?.code == .checksum)
        #expect(check.contents.partitions == 9)
    }

    @Test(
        .enabled(if: RecordedTables.areThere, "the recorded fixtures are not here"),
        arguments: ["4.1/simple_none", "4.1/simple_deflate", "4.1/wide", "5.0-bti/simple_lz4"]
    )
    func `bytes behind the last chunk are no data and spoil the checksum of the file`(victim: String) throws {
        let recorded = try RecordedTables.named(victim)
        let folder = try TemporaryFolder()
        for name in try FileManager.default.contentsOfDirectory(atPath: recorded.folder) {
            try folder.put(name, try Data(contentsOf: URL(filePath: "\(recorded.folder)/\(name)")))
        }
        let file = String(recorded.data.split(separator: "/").last ?? "")
        let whole = try Data(contentsOf: URL(filePath: recorded.data))
        try folder.put(file, whole + [0])
        #expect(SSTableCheck(try SSTableName(dataFile: "\(folder.path)/\(file)")).damage != nil)
        try folder.put(file, whole)
        #expect(SSTableCheck(try SSTableName(dataFile: "\(folder.path)/\(file)")).damage == nil)
    }

    @Test func `a checksum is that of gzip, goes on after another one, and of no bytes changes nothing`() {
        let digits = Array("123456789".utf8)
        digits.withUnsafeBytes { bytes in
            // The check value of CRC-32/ISO-HDLC.
            #expect(Checksum.of(bytes) == 0xCBF4_3926)
            let (first, second) = (bytes.prefix(4), bytes.suffix(5))
            let start = Checksum.of(UnsafeRawBufferPointer(rebasing: first))
            #expect(Checksum.of(UnsafeRawBufferPointer(rebasing: second), after: start) == 0xCBF4_3926)
        }
        #expect(Checksum.of(UnsafeRawBufferPointer(start: nil, count: 0), after: 0xCBF4_3926) == 0xCBF4_3926)
    }

    @Test func `checksums of parts make that of the whole`() {
        var random = SeededRandom(seed: 3)
        for _ in 0..<50 {
            let bytes = (0..<random.number(0...5_000)).map { _ in UInt8.random(in: 0...255, using: &random) }
            var digest = RunningDigest()
            var place = 0
            while place < bytes.count {
                let part = Array(bytes[place..<min(bytes.count, place + random.number(1...2_000))])
                part.withUnsafeBytes { digest.add($0, at: Int64(place)) }
                place += part.count
                // What does not come next changes nothing.
                part.withUnsafeBytes { digest.add($0, at: Int64(place) + 1) }
            }
            #expect(digest.sum == Writer.checksum(bytes) && digest.end == Int64(bytes.count))
        }
    }

    @Test func `what was not read is read for the checksum of the file`() throws {
        let folder = try TemporaryFolder()
        let path = try Writer().write((0..<9).map { .init(key: [$0]) }, to: folder)
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
        let data = try SSTable(dataFile: path).data
        for count in [0, 1, bytes.count / 2, bytes.count] {
            var digest = RunningDigest()
            bytes.prefix(count).withUnsafeBytes { digest.add($0, at: 0) }
            #expect(try digest.finished(data) == Writer.checksum(bytes))
        }
    }

    @Test func `a deflated chunk has the length that is expected, neither less nor more`() throws {
        // zlib's stream of 64 letters "a": a block of fixed codes.
        let packed: [UInt8] = [0x78, 0x9C, 0x4B, 0x4C, 0xA4, 0x0C, 0x00, 0x00, 0x14, 0x8D, 0x18, 0x41]
        let decompressor = Decompressor(.deflate)
        for (length, fits) in [(63, false), (64, true), (65, false)] {
            var plain = [UInt8](repeating: 0, count: length)
            let isUnpacked = packed.withUnsafeBytes { source in
                plain.withUnsafeMutableBytes { decompressor.unpack(source, into: $0) }
            }
            #expect(isUnpacked == fits)
            if fits { #expect(plain.allSatisfy { $0 == UInt8(ascii: "a") }) }
        }
        var plain = [UInt8](repeating: 0, count: 64)
        for index in packed.indices.suffix(4) {
            var damaged = packed
            damaged[index] ^= 1
            let isUnpacked = damaged.withUnsafeBytes { source in
                plain.withUnsafeMutableBytes { decompressor.unpack(source, into: $0) }
            }
            #expect(!isUnpacked, "Adler-32, byte \(index)")
        }
    }
}
