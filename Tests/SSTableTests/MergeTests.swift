import CQLProtocol
import NIOCore
import TestSupport
import Testing

@testable import SSTable

/// Several SSTables as one table.
struct MergeTests {
    typealias Writer = SSTableWriter

    /// A table with a clustering of two columns, the first in either direction, static, simple and collection columns.
    private struct World {
        let isReversed: Bool
        var random: SeededRandom
        let slots: [MergeModel.Slot]

        init(seed: UInt64) {
            self.random = SeededRandom(seed: seed)
            self.isReversed = seed % 2 == 0
            var slots = [MergeModel.Slot(prefix: [], side: -1)]
            let first: [[UInt8]] = (0..<4).map { [0, 0, 0, $0] }
            for one in self.isReversed ? first.reversed() : first {
                slots.append(.init(prefix: [one], side: -1))
                for two: [UInt8] in [[], Array("a".utf8), Array("bb".utf8)] {
                    for side in -1...1 { slots.append(.init(prefix: [one, two], side: side)) }
                }
                slots.append(.init(prefix: [one], side: 1))
            }
            self.slots = slots + [.init(prefix: [], side: 1)]
        }

        var writer: Writer {
            var writer = Writer()
            writer.version = self.isReversed ? "oa" : "nb"
            writer.clustering = [
                .init(name: "c1", type: self.isReversed ? "ReversedType(Int32Type)" : "Int32Type"),
                .init(name: "c2", type: "UTF8Type"),
            ]
            writer.statics = [.init(name: "s", type: "UTF8Type")]
            writer.regulars = [
                .init(name: "n", type: "Int32Type"), .init(name: "v", type: "UTF8Type"),
                .init(name: "m", type: "MapType(Int32Type,UTF8Type)"),
            ]
            return writer
        }

        mutating func chance(_ part: Int) -> Bool { Int.random(in: 0..<part, using: &self.random) == 0 }

        mutating func timestamp() -> Int64 { .random(in: 1...6, using: &self.random) }

        mutating func deletion() -> Writer.Deletion {
            .init(timestamp: self.timestamp(), local: .random(in: 100...102, using: &self.random))
        }

        mutating func kind() -> Writer.CellKind {
            switch Int.random(in: 0..<4, using: &self.random) {
            case 0: .tombstone(local: .random(in: 100...102, using: &self.random))
            case 1:
                .expiring(
                    timeToLive: .random(in: 1...2, using: &self.random),
                    at: .random(in: 100...102, using: &self.random)
                )
            default: .live
            }
        }

        mutating func cell(_ column: Int, path: [UInt8]? = nil) -> Writer.Cell {
            let kind = self.kind()
            let value: [UInt8] =
                if case .tombstone = kind {
                    []
                } else if column == 0 {
                    [0, 0, 0, .random(in: 0...1, using: &self.random)]
                } else {
                    [UInt8](
                        repeating: .random(in: 97...98, using: &self.random),
                        count: .random(in: 0...2, using: &self.random)
                    )
                }
            return .init(column: column, path: path, timestamp: self.timestamp(), kind: kind, value: value)
        }

        mutating func row(_ clustering: [[UInt8]]) -> Writer.Row {
            var row = Writer.Row(clustering: clustering)
            if self.chance(2) {
                let timeToLive: Int32 = self.chance(2) ? .random(in: 1...2, using: &self.random) : 0
                row.liveness = .init(
                    timestamp: self.timestamp(),
                    timeToLive: timeToLive,
                    expiresAt: timeToLive == 0 ? 0 : .random(in: 100...102, using: &self.random)
                )
            }
            if self.chance(4) {
                row.deletion = self.deletion()
                row.isShadowable = self.chance(2)
            }
            for column in 0..<2 where self.chance(2) { row.cells.append(self.cell(column)) }
            if self.chance(4) { row.complexDeletions[2] = self.deletion() }
            for key: UInt8 in [0, 1, 0xff] where self.chance(3) {
                // Keys are signed: 0xff…ff comes first.
                let path: [UInt8] = key == 0xff ? [0xff, 0xff, 0xff, 0xff] : [0, 0, 0, key]
                row.cells.append(self.cell(2, path: path))
            }
            if let last = row.cells.last, last.path?.first == 0xff {
                row.cells.removeLast()
                row.cells.insert(last, at: row.cells.firstIndex { $0.column == 2 } ?? row.cells.count)
            }
            return row
        }

        /// A partition with rows, and ranges that do not overlap.
        mutating func partition(_ key: [UInt8]) -> (partition: Writer.Partition, open: [DeletionTime]) {
            var partition = Writer.Partition(key: key)
            if self.chance(4) { partition.deletion = self.deletion() }
            if self.chance(2) {
                partition.statics.cells = [self.cell(0)].map {
                    .init(column: 0, timestamp: $0.timestamp, kind: $0.kind, value: $0.value)
                }
            }
            var open: Writer.Deletion?
            var opens: [DeletionTime] = []
            for (index, slot) in self.slots.enumerated() {
                if slot.side == 0 {
                    let row = self.row(slot.prefix)
                    let isEmpty =
                        row.liveness == nil && row.deletion == nil && row.cells.isEmpty && row.complexDeletions.isEmpty
                    if !isEmpty, self.chance(2) { partition.items.append(.row(row)) }
                } else if open == nil, index < self.slots.count - 1, self.chance(6) {
                    let deletion = self.deletion()
                    let kind: UInt8 = slot.side < 0 ? 1 : 7
                    partition.items.append(.marker(.init(kind: kind, clustering: slot.prefix, opens: deletion)))
                    open = deletion
                } else if let before = open, index == self.slots.count - 1 || self.chance(4) {
                    let isBoundary = index < self.slots.count - 1 && self.chance(2)
                    let next = isBoundary ? self.deletion() : nil
                    let kind: UInt8 = slot.side < 0 ? (isBoundary ? 2 : 0) : (isBoundary ? 5 : 6)
                    partition.items.append(
                        .marker(.init(kind: kind, clustering: slot.prefix, closes: before, opens: next))
                    )
                    open = next
                }
                opens.append(MergeModel.time(open))
            }
            return (partition, opens)
        }
    }

    @Test(arguments: 0..<100)
    func `random SSTables give at every point what wins there`(seed: Int) throws {
        var world = World(seed: UInt64(seed))
        var written: [[UInt8]: [(partition: Writer.Partition, open: [DeletionTime])]] = [:]
        let folder = try TemporaryFolder()
        var tables: [SSTable] = []
        for generation in 1...Int.random(in: 1...5, using: &world.random) {
            var partitions: [Writer.Partition] = []
            for key: UInt8 in 1...4 where !world.chance(3) {
                let made = world.partition([key])
                partitions.append(made.partition)
                written[[key], default: []].append(made)
            }
            let path = try world.writer.write(partitions, to: folder, generation: generation)
            tables.append(try SSTable(dataFile: path))
        }
        tables.shuffle(using: &world.random)
        let merge = try TableMerge(tables)
        var keys: [[UInt8]] = []
        while try merge.nextPartition() {
            let key = Array(try #require(merge.partition).key.readableBytesView)
            keys.append(key)
            try Self.check(merge, try #require(written[key]), world)
        }
        #expect(keys == written.keys.sorted { $0.lexicographicallyPrecedes($1) })
    }

    private static func check(
        _ merge: TableMerge,
        _ parts: [(partition: Writer.Partition, open: [DeletionTime])],
        _ world: World
    ) throws {
        let deletion = MergeModel.latest(parts.map { MergeModel.time($0.partition.deletion) })
        #expect(merge.partition?.deletion == deletion)
        #expect(MergeModel.point(merge.staticRow) == MergeModel.point(parts.map(\.partition.statics), under: deletion))
        var (rows, opens): ([Int: MergeModel.Point], [Int: DeletionTime]) = ([:], [:])
        var last = -1
        var open: DeletionTime?
        while let next = try merge.next() {
            let slot: MergeModel.Slot
            switch next {
            case .row:
                slot = .init(prefix: Self.values(merge.row.clustering, merge.row.bytes), side: 0)
            case .marker:
                let side = merge.marker.side == .before ? -1 : 1
                slot = .init(prefix: Self.values(merge.marker.clustering, merge.marker.bytes), side: side)
                #expect(merge.marker.closes == open)
                // What the deletion of the partition covers is not said again.
                #expect(merge.marker.opens.map { $0.supersedes(deletion) } ?? true)
                open = merge.marker.opens
            }
            let index = try #require(world.slots.firstIndex(of: slot))
            #expect(index > last, "out of order")
            last = index
            if next == .row {
                rows[index] = MergeModel.point(merge.row)
            } else {
                opens[index] = merge.marker.opens ?? .live
            }
        }
        #expect(open == nil)
        var range = DeletionTime.live
        for (index, slot) in world.slots.enumerated() {
            range = opens[index] ?? range
            let expected = MergeModel.latest([deletion] + parts.map { $0.open[index] })
            #expect(MergeModel.latest([deletion, range]) == expected, "\(slot)")
            guard slot.side == 0 else { continue }
            let there = parts.flatMap { part in
                part.partition.items.compactMap { item -> Writer.Row? in
                    if case .row(let row) = item, row.clustering == slot.prefix { row } else { nil }
                }
            }
            let point = MergeModel.point(there, under: expected)
            #expect(rows[index] == (point.isEmpty ? nil : point), "\(slot)")
        }
    }

    @Test func `cells of one timestamp have one winner, whoever comes first`() {
        func cell(_ kind: Cell.Kind, timestamp: Int64 = 1, timeToLive: Int32 = 0, local: Int64 = .max) -> Cell {
            Cell(
                column: 0,
                kind: kind,
                timestamp: timestamp,
                timeToLive: timeToLive,
                localDeletionTime: local,
                path: .null,
                value: .empty
            )
        }
        let (a, b) = (ByteBuffer(string: "a"), ByteBuffer(string: "b"))
        // The winner first.
        let pairs: [(Cell, ByteBuffer, Cell, ByteBuffer)] = [
            (cell(.live, timestamp: 2), a, cell(.tombstone, timestamp: 1, local: 9), b),
            (cell(.tombstone, local: 5), a, cell(.live), b),
            (cell(.expiring, timeToLive: 5, local: 5), a, cell(.live), b),
            (cell(.tombstone, local: 5), a, cell(.expiring, timeToLive: 5, local: 9), b),
            (cell(.tombstone, local: 6), a, cell(.tombstone, local: 5), a),
            (cell(.expiring, timeToLive: 5, local: 9), a, cell(.expiring, timeToLive: 5, local: 8), b),
            (cell(.expiring, timeToLive: 4, local: 9), a, cell(.expiring, timeToLive: 5, local: 9), b),
            (cell(.live), b, cell(.live), a),
            (cell(.live), ByteBuffer(bytes: [0xff]), cell(.live), a),
            (cell(.live), ByteBuffer(string: "aa"), cell(.live), a),
        ]
        for (index, (winner, winnerValue, loser, loserValue)) in pairs.enumerated() {
            #expect(Reconciliation.isAhead(winner, winnerValue, loser, loserValue), "\(index)")
            let isEqual = winner == loser && winnerValue == loserValue
            #expect(Reconciliation.isAhead(loser, loserValue, winner, winnerValue) == isEqual, "\(index)")
        }
    }

    @Test func `a table that changed its columns has those of all its files`() throws {
        let folder = try TemporaryFolder()
        var old = Writer()
        old.regulars = [
            .init(name: "a", type: "UTF8Type"), .init(name: "gone", type: "Int32Type"),
            .init(name: "z", type: "UTF8Type"),
        ]
        var new = Writer()
        new.timestampMax = 9
        new.regulars = [
            .init(name: "b", type: "UTF8Type"), .init(name: "z", type: "BytesType"),
            .init(name: "a", type: "ListType(UTF8Type)"),
        ]
        let value = Array("x".utf8)
        let before = Writer.Partition(
            key: [1],
            items: [
                .row(
                    .init(
                        cells: (0..<3).map { .init(column: $0, timestamp: 1, value: $0 == 1 ? [0, 0, 0, 7] : value) }
                    )
                )
            ]
        )
        let after = Writer.Partition(
            key: [1],
            items: [
                .row(
                    .init(cells: [
                        .init(column: 0, timestamp: 2, value: value),
                        .init(column: 1, timestamp: 2, value: Array("y".utf8)),
                        .init(column: 2, path: [UInt8](repeating: 1, count: 16), timestamp: 2, value: value),
                    ])
                )
            ]
        )
        let tables = [
            try SSTable(dataFile: try old.write([before], to: folder, generation: 1)),
            try SSTable(dataFile: try new.write([after], to: folder, generation: 2)),
        ]
        let merge = try TableMerge(tables)
        #expect(merge.columns.regulars.map(\.name) == ["a", "b", "gone", "z", "a"])
        #expect(merge.columns.regulars[3].type.dataType == .blob, "the type that was written last")
        #expect(try merge.nextPartition() && merge.next() == .row)
        #expect(merge.row.cells.map(\.column) == [0, 1, 2, 3, 4])
        #expect(merge.row.slice(merge.row.cells[3].value) == ByteBuffer(string: "y"))
        #expect(try merge.next() == nil)
        #expect(try !merge.nextPartition())
    }

    @Test func `tables with other keys are not merged, and neither is an order that is not known`() throws {
        let folder = try TemporaryFolder()
        var other = Writer()
        other.clustering = [.init(name: "c", type: "Int32Type")]
        let first = try SSTable(dataFile: try Writer().write([], to: folder, generation: 1))
        let second = try SSTable(dataFile: try other.write([], to: folder, generation: 2))
        #expect(throws: SSTableError.self) { try TableMerge([first, second]) }
        var strange = Writer()
        strange.clustering = [.init(name: "c", type: "org.example.StrangeType")]
        let third = try SSTable(dataFile: try strange.write([], to: folder, generation: 3))
        #expect { try TableMerge([third]) } throws: {
            "\($0)".contains("order of org.example.StrangeType is not known")
        }
        var random = Writer()
        random.partitioner = "org.apache.cassandra.dht.RandomPartitioner"
        let fourth = try SSTable(dataFile: try random.write([], to: folder, generation: 4))
        #expect { try TableMerge([fourth]) } throws: { "\($0)".contains("RandomPartitioner") }
    }

    private static func values(_ ranges: [ByteRange], _ bytes: ByteBuffer) -> [[UInt8]] {
        ranges.map { bytes.slice($0).map { Array($0.readableBytesView) } ?? [] }
    }
}
