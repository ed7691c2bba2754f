import NIOCore
import TestSupport
import Testing

@testable import SSTable

/// What no recorded SSTable holds.
struct RowTests {
    typealias Writer = SSTableWriter

    private static func open(_ writer: Writer, _ partitions: [Writer.Partition], _ limits: SSTableLimits = .init())
        throws -> SSTable
    {
        let folder = try TemporaryFolder()
        // The files stay open when their folder goes.
        return try SSTable(dataFile: try writer.write(partitions, to: folder), limits: limits)
    }

    @Test(arguments: [1, 63, 64, 65, 200])
    func `a row has any subset of many columns`(count: Int) throws {
        var writer = Writer()
        writer.clustering = [.init(name: "c", type: "Int32Type")]
        writer.regulars = (0..<count).map { .init(name: "c\(1_000 + $0)", type: "UTF8Type") }
        var random = SeededRandom(seed: UInt64(count))
        let subsets =
            (0..<40).map { round in
                (0..<count).filter { _ in Int.random(in: 0..<40, using: &random) < round }
            } + [[], Array(0..<count), [count - 1]]
        let rows = subsets.enumerated().map { place, subset in
            Writer.Row(
                clustering: [[0, 0, 0, UInt8(place)]],
                liveness: .init(timestamp: 5),
                cells: subset.map { .init(column: $0, timestamp: 5, value: Array("v\($0)".utf8)) }
            )
        }
        let scanner = try Self.open(writer, [.init(key: [1], items: rows.map { .row($0) })]).scanner()
        #expect(try scanner.nextPartition())
        for subset in subsets {
            #expect(try scanner.next() == .row)
            #expect(scanner.row.cells.map { Int($0.column) } == subset)
            for cell in scanner.row.cells {
                #expect(scanner.row.slice(cell.value) == ByteBuffer(string: "v\(cell.column)"))
            }
        }
        #expect(try scanner.next() == nil)
    }

    @Test func `clusterings have empty and missing values, of more than 32 columns too`() throws {
        var writer = Writer()
        writer.clustering = (0..<40).map { .init(name: "c\($0)", type: $0 % 2 == 0 ? "Int32Type" : "UTF8Type") }
        let values = (0..<40).map { (place: UInt8) -> [UInt8]? in
            if place % 7 == 3 { return nil }
            return place % 5 == 4 ? [] : [0, 0, 0, place]
        }
        let scanner = try Self.open(
            writer,
            [.init(key: [1], items: [.row(.init(clustering: values, liveness: .init(timestamp: 1)))])]
        ).scanner()
        #expect(try scanner.nextPartition())
        #expect(try scanner.next() == .row)
        let read = scanner.row.clustering.map { scanner.row.slice($0).map { Array($0.readableBytesView) } }
        #expect(read == values)
    }

    @Test func `times may be far before and behind the bases`() throws {
        var writer = Writer()
        writer.regulars = [.init(name: "v", type: "UTF8Type")]
        let times: [Int64] = [Int64.min + 1, -1, 0, 1, 1_442_880_000_000_000, Int64.max]
        let partitions = times.enumerated().map { place, time in
            Writer.Partition(
                key: [UInt8(place)],
                deletion: .init(timestamp: time, local: 7),
                items: [.row(.init(cells: [.init(column: 0, timestamp: time, value: [1])]))]
            )
        }
        let scanner = try Self.open(writer, partitions).scanner()
        for time in times {
            #expect(try scanner.nextPartition())
            #expect(scanner.partition?.deletion == DeletionTime(timestamp: time, localDeletionTime: 7))
            #expect(try scanner.next() == .row)
            #expect(scanner.row.cells[0].timestamp == time)
        }
    }

    @Test func `since oa a time to live may end after 2038`() throws {
        let end: Int64 = 4_200_000_000
        var writer = Writer()
        writer.version = "oa"
        writer.regulars = [.init(name: "v", type: "UTF8Type")]
        let partition = Writer.Partition(
            key: [1],
            deletion: .init(timestamp: 3, local: end),
            items: [
                .row(
                    .init(
                        liveness: .init(timestamp: 5, timeToLive: 630_720_000, expiresAt: end),
                        deletion: .init(timestamp: 4, local: end + 1),
                        cells: [.init(column: 0, timestamp: 5, kind: .expiring(timeToLive: 9, at: end + 2), value: [1])]
                    )
                )
            ]
        )
        let scanner = try Self.open(writer, [partition]).scanner()
        #expect(try scanner.nextPartition())
        #expect(scanner.partition?.deletion.localDeletionTime == end)
        #expect(try scanner.next() == .row)
        #expect(scanner.row.liveness.expiresAt == end)
        #expect(scanner.row.deletion.localDeletionTime == end + 1)
        #expect(scanner.row.cells[0].localDeletionTime == end + 2)
    }

    @Test func `a row larger than many chunks is one row, and one above the limit an error`() throws {
        var writer = Writer()
        writer.regulars = [.init(name: "v", type: "BytesType")]
        let large = [UInt8](repeating: 7, count: 1_000_000)
        let partitions = (1...3).map { key in
            Writer.Partition(
                key: [UInt8(key)],
                items: [.row(.init(cells: [.init(column: 0, timestamp: 1, value: key == 2 ? large : [1])]))]
            )
        }
        let scanner = try Self.open(writer, partitions).scanner()
        for key in 1...3 {
            #expect(try scanner.nextPartition())
            #expect(try scanner.next() == .row)
            #expect(scanner.row.cells[0].value.count == (key == 2 ? 1_000_000 : 1))
            #expect(try scanner.next() == nil)
        }
        #expect(try !scanner.nextPartition())
        var limits = SSTableLimits()
        limits.rowBytesMax = 500_000
        let limited = try Self.open(writer, partitions, limits).scanner()
        #expect(try limited.nextPartition())
        #expect(try limited.nextPartition())
        let error = #expect(throws: SSTableError.self) { try limited.next() }
        #expect(error?.code == .oversized)
        #expect(error?.description.contains("500000 are the limit") ?? false)
    }

    @Test func `user-defined types of 3_0 that stand among simple columns are frozen`() throws {
        let type = "UserType(6b73,74797065,61:Int32Type)"
        var writer = Writer()
        writer.version = "mc"
        writer.regulars = [
            .init(name: "a", type: type), .init(name: "b", type: "Int32Type"), .init(name: "c", type: type),
        ]
        let table = try Self.open(writer, [])
        #expect(table.header.regulars.map(\.type.isMultiCell) == [false, false, true])
    }

    @Test func `partitions out of order are an error`() throws {
        let scanner = try Self.open(Writer(), [.init(key: [2]), .init(key: [1])]).scanner()
        #expect(try scanner.nextPartition())
        let error = #expect(throws: SSTableError.self) { try scanner.nextPartition() }
        #expect(error?.code == .order)
    }
}
