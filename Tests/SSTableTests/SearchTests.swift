import CQLProtocol
import NIOCore
import TestSupport
import Testing

@testable import SSTable

/// Indexes find what reading everything finds.
@Suite(.enabled(if: RecordedTables.areThere, "the recorded fixtures are not here"))
struct SearchTests {
    private static func partitions(_ scanner: SSTableScanner) throws -> [Partition] {
        var partitions: [Partition] = []
        while try scanner.nextPartition() { partitions.append(try #require(scanner.partition)) }
        return partitions
    }

    private static let withTokens = RecordedTables.all.filter { !$0.data.contains("/legacy") }

    @Test(arguments: withTokens)
    func `a range of tokens gives the partitions that have them`(_ recorded: RecordedTables.Recorded) throws {
        let table = try SSTable(dataFile: recorded.data)
        let all = try Self.partitions(table.scanner())
        var random = SeededRandom(seed: 7)
        let tokens = all.compactMap(\.token)
        var ranges: [ClosedRange<Int64>] = [.min ... .max, .min ... .min, .max ... .max]
        for _ in 0..<10 {
            let a =
                Bool.random(using: &random)
                ? tokens.randomElement(using: &random) ?? 0 : .random(in: .min ... .max, using: &random)
            let b = tokens.randomElement(using: &random) ?? 0
            ranges.append(min(a, b)...max(a, b))
            if a < .max { ranges.append(a &+ 1...max(a &+ 1, b)) }
        }
        for range in ranges {
            let found = try Self.partitions(table.scanner(tokens: range)).map(\.position)
            let expected = all.filter { $0.token.map { range.contains($0) } ?? false }.map(\.position)
            #expect(found == expected, "\(range)")
        }
    }

    @Test(arguments: RecordedTables.all)
    func `a key is found, and one that is not there is not`(_ recorded: RecordedTables.Recorded) throws {
        let table = try SSTable(dataFile: recorded.data)
        for partition in try Self.partitions(table.scanner()).prefix(20) {
            let scanner = try #require(try table.scanner(key: partition.key))
            #expect(scanner.partition?.position == partition.position)
            #expect(scanner.partition?.key == partition.key)
        }
        #expect(try table.scanner(key: ByteBuffer(string: "nobody has this key")) == nil)
    }

    @Test(arguments: RecordedTables.all)
    func `the blocks of a partition begin at rows, and reading goes on from each`(
        _ recorded: RecordedTables.Recorded
    ) throws {
        let table = try SSTable(dataFile: recorded.data)
        let scanner = table.scanner()
        var (seen, count) = (0, 0)
        while count < 20, try scanner.nextPartition() {
            count += 1
            let partition = try #require(scanner.partition)
            let blocks = try table.blocks(of: partition)
            guard !blocks.isEmpty else { continue }
            seen += 1
            var positions: [Int64] = []
            while let next = try scanner.next() {
                positions.append(next == .row ? scanner.row.position : scanner.marker.position)
            }
            #expect(blocks.map(\.position) == blocks.map(\.position).sorted())
            #expect(blocks[0].position <= positions[0])
            for block in blocks.dropFirst() {
                #expect(positions.contains(block.position))
                let other = try #require(try table.scanner(key: partition.key))
                other.move(to: block)
                var rest: [Int64] = []
                while let next = try other.next() {
                    rest.append(next == .row ? other.row.position : other.marker.position)
                }
                #expect(rest == positions.filter { $0 >= block.position })
            }
        }
        if recorded.data.contains("/wide/") { #expect(seen > 0) }
    }

    @Test(arguments: RecordedTables.all.filter { $0.data.hasSuffix("bti-Data.db") })
    func `a trie lists all partitions in their order`(_ recorded: RecordedTables.Recorded) throws {
        let table = try SSTable(dataFile: recorded.data)
        var index = try TrieIndex(table.name)
        var places: [TrieIndex.Place] = []
        try index.forEach { (place) throws(SSTableError) in places.append(place) }
        let positions = try places.map { try index.dataPlace($0) }
        let all = try Self.partitions(table.scanner())
        #expect(positions == all.map(\.position))
        #expect(index.count == Int64(all.count))
    }

    @Test(arguments: RecordedTables.all)
    func `statistics and digests say what is there`(_ recorded: RecordedTables.Recorded) throws {
        let table = try SSTable(dataFile: recorded.data)
        #expect(try table.digestMatches())
        let scanner = table.scanner()
        var (rows, partitions, cells): (Int64, Int64, Int64) = (0, 0, 0)
        var timestamps: [Int64] = []
        while try scanner.nextPartition() {
            partitions += 1
            cells += Int64(scanner.staticRow.cells.count)
            timestamps += scanner.staticRow.cells.map(\.timestamp)
            while let next = try scanner.next() {
                guard next == .row else { continue }
                rows += 1
                timestamps += scanner.row.cells.map(\.timestamp)
            }
        }
        #expect(table.statistics.partitions == partitions)
        #expect(table.statistics.rows >= rows)
        #expect(timestamps.allSatisfy { table.statistics.timestampMin...table.statistics.timestampMax ~= $0 })
    }

    @Test func `leaving a partition early finds the next one`() throws {
        let table = try SSTable(dataFile: RecordedTables.named("5.0-bti/wide").data)
        let all = try Self.partitions(table.scanner()).map(\.position)
        let scanner = table.scanner()
        var positions: [Int64] = []
        while try scanner.nextPartition() {
            positions.append(try #require(scanner.partition).position)
            for _ in 0..<positions.count * 3 { _ = try scanner.next() }
        }
        #expect(positions == all)
    }
}
