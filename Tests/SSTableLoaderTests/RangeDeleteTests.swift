import NIOCore
import TestSupport
import Testing

@testable import LiveTables
@testable import SSTable
@testable import SSTableLoader

/// A range from any bound to any other, as ranges that CQL can say.
struct RangeDeleteTests {
    private struct Bound {
        let prefix: [Int32]
        let side: RangeMarker.Side

        func marker(opens: Bool) -> RangeMarker {
            var marker = RangeMarker()
            for value in self.prefix {
                marker.clustering.append(ByteRange(start: marker.bytes.readableBytes, count: 4))
                marker.bytes.writeInteger(value)
            }
            marker.side = self.side
            let time = DeletionTime(timestamp: 7, localDeletionTime: 1)
            if opens { marker.opens = time } else { marker.closes = time }
            return marker
        }
    }

    /// All points and bounds of three columns with three values each, in their order.
    private static func order(_ isReversed: [Bool]) -> (bounds: [(place: Int, Bound)], points: [(place: Int, [Int32])])
    {
        var (bounds, points): ([(Int, Bound)], [(Int, [Int32])]) = ([], [])
        var place = 0
        func walk(_ prefix: [Int32]) {
            place += 1
            guard prefix.count < 3 else {
                bounds.append((place, Bound(prefix: prefix, side: .before)))
                points.append((place + 1, prefix))
                bounds.append((place + 2, Bound(prefix: prefix, side: .after)))
                place += 2
                return
            }
            bounds.append((place, Bound(prefix: prefix, side: .before)))
            let values: [Int32] = [-1, 0, 1]
            for value in isReversed[prefix.count] ? values.reversed() : values { walk(prefix + [value]) }
            place += 1
            bounds.append((place, Bound(prefix: prefix, side: .after)))
        }
        walk([])
        return (bounds, points)
    }

    /// Whether a statement deletes a point: its conditions, read from its text.
    private static func deletes(_ statement: TargetStatement, _ point: [Int32]) throws -> Bool {
        let conditions = try #require(statement.text.split(separator: "WHERE ").last).split(separator: " AND ")
        // Before the conditions stands the timestamp.
        for (condition, value) in zip(conditions, statement.values.dropFirst()) {
            let words = condition.split(separator: " ")
            guard let column = ["\"c0\"", "\"c1\"", "\"c2\""].firstIndex(of: words[0]) else { continue }
            let number = try #require(value?.getInteger(at: value?.readerIndex ?? 0, as: Int32.self))
            let isTrue =
                switch words[1] {
                case "=": point[column] == number
                case "<": point[column] < number
                case "<=": point[column] <= number
                case ">": point[column] > number
                default: point[column] >= number
                }
            guard isTrue else { return false }
        }
        return true
    }

    @Test(arguments: [[false, false, false], [true, false, false], [false, true, true], [true, true, true]])
    func `every range deletes the rows within it and no others`(isReversed: [Bool]) throws {
        let (bounds, points) = Self.order(isReversed)
        let table = TargetTable(
            keyspace: "k",
            name: "t",
            partitionKey: ["p"],
            clustering: isReversed.enumerated().map { .init(name: "c\($0)", isReversed: $1) },
            columns: []
        )
        let types = isReversed.map { $0 ? "ReversedType(Int32Type)" : "Int32Type" }
        let columns = try columns(clustering: types, regulars: [])
        var builder = StatementBuilder(columns, table, .init(now: 0))
        var random = SeededRandom(seed: 5)
        for _ in 0..<600 {
            let two = [bounds.randomElement(using: &random), bounds.randomElement(using: &random)].compactMap { $0 }
            guard let start = two.min(by: { $0.place < $1.place }), let end = two.max(by: { $0.place < $1.place }),
                start.place < end.place
            else { continue }
            var result = Translation()
            let key = ByteBuffer(bytes: [0, 0, 0, 1])
            builder.begin(Partition(key: key, .murmur3, deletion: .live, position: 0), into: &result)
            builder.add(start.1.marker(opens: true), into: &result)
            builder.add(end.1.marker(opens: false), into: &result)
            #expect(result.statements.allSatisfy { $0.timestamp == 7 })
            // Never the partition: its static row stays.
            #expect(result.statements.allSatisfy { $0.text.contains("\"c0\"") })
            for (place, point) in points {
                let isDeleted = try result.statements.contains { try Self.deletes($0, point) }
                #expect(isDeleted == (start.place < place && place < end.place), "\(start) \(end) \(point)")
            }
        }
    }

    @Test func `a boundary ends one range and begins the next`() throws {
        let table = TargetTable(
            keyspace: "k",
            name: "t",
            partitionKey: ["p"],
            clustering: [.init(name: "c0")],
            columns: []
        )
        var builder = StatementBuilder(try columns(clustering: ["Int32Type"], regulars: []), table, .init(now: 0))
        var result = Translation()
        let key = ByteBuffer(bytes: [0, 0, 0, 1])
        builder.begin(Partition(key: key, .murmur3, deletion: .live, position: 0), into: &result)
        builder.add(Bound(prefix: [1], side: .before).marker(opens: true), into: &result)
        var boundary = Bound(prefix: [2], side: .before).marker(opens: false)
        boundary.opens = DeletionTime(timestamp: 9, localDeletionTime: 1)
        builder.add(boundary, into: &result)
        var end = Bound(prefix: [3], side: .after).marker(opens: false)
        end.closes = boundary.opens
        builder.add(end, into: &result)
        #expect(result.statements.map(\.timestamp) == [7, 9])
        #expect(
            result.statements.map(\.text) == [
                #"DELETE FROM "k"."t" USING TIMESTAMP ? WHERE "p" = ? AND "c0" >= ? AND "c0" < ?"#,
                #"DELETE FROM "k"."t" USING TIMESTAMP ? WHERE "p" = ? AND "c0" >= ? AND "c0" <= ?"#,
            ]
        )
    }
}
