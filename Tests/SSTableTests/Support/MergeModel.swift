import NIOCore

@testable import SSTable

/// What merging must give, point by point: every row, cell and deletion of all files at one place, and which of them wins.
///
/// It knows nothing of the order in which files are read: it looks at one point of the table after the other.
struct MergeModel {
    /// Where rows and bounds can be, in their order: bounds before and behind a prefix, and rows.
    struct Slot: Hashable {
        let prefix: [[UInt8]]
        /// -1 before, 0 a row, 1 behind.
        let side: Int
    }

    struct Point: Equatable {
        var liveness: Liveness = .none
        var deletion: DeletionTime = .live
        var isShadowable = false
        var complexDeletions: [Int: DeletionTime] = [:]
        var cells: [String: String] = [:]

        var isEmpty: Bool {
            self.liveness.isNone && self.deletion.isLive && self.complexDeletions.isEmpty && self.cells.isEmpty
        }
    }

    typealias Writer = SSTableWriter

    static func time(_ deletion: Writer.Deletion?) -> DeletionTime {
        deletion.map { DeletionTime(timestamp: $0.timestamp, localDeletionTime: $0.local) } ?? .live
    }

    static func latest(_ times: [DeletionTime]) -> DeletionTime {
        times.filter { !$0.isLive }.max { ($0.timestamp, $0.localDeletionTime) < ($1.timestamp, $1.localDeletionTime) }
            ?? .live
    }

    /// A cell as its rank among those of one place: the highest wins.
    private static func rank(_ cell: Writer.Cell) -> [Int64] {
        let tail = (cell.value + [0, 0, 0, 0]).prefix(4).map { Int64($0) } + [Int64(cell.value.count)]
        switch cell.kind {
        case .live: return [cell.timestamp, 0, 0, 0, 0] + tail
        case .expiring(let timeToLive, let at): return [cell.timestamp, 1, 0, at, Int64(-timeToLive)] + tail
        case .tombstone(let local): return [cell.timestamp, 1, 1, local, 0] + tail
        }
    }

    static func describe(_ cell: Writer.Cell) -> String { "\(cell.timestamp) \(cell.kind) \(cell.value)" }

    /// The sum of rows at one place, under a deletion from outside.
    static func point(_ rows: [Writer.Row], under outer: DeletionTime) -> Point {
        var point = Point()
        let lives = rows.compactMap(\.liveness)
        if let best = lives.max(by: { Self.rank($0).lexicographicallyPrecedes(Self.rank($1)) }) {
            point.liveness = Liveness(
                timestamp: best.timestamp,
                timeToLive: best.timeToLive,
                expiresAt: best.timeToLive == 0 ? .max : best.expiresAt
            )
        }
        let deletion = Self.latest(rows.map { Self.time($0.deletion) })
        let isFirm = rows.contains { Self.time($0.deletion) == deletion && !$0.isShadowable }
        if !deletion.isLive, isFirm || point.liveness.timestamp <= deletion.timestamp {
            if Self.latest([outer, deletion]) != outer {
                point.deletion = deletion
                point.isShadowable = !isFirm
            }
        }
        let covering = Self.latest([outer, point.deletion])
        if !covering.isLive, point.liveness.timestamp <= covering.timestamp { point.liveness = .none }
        for column in Set(rows.flatMap { $0.complexDeletions.keys }) {
            let time = Self.latest(rows.map { Self.time($0.complexDeletions[column]) })
            if Self.latest([covering, time]) != covering { point.complexDeletions[column] = time }
        }
        var places: [String: [Writer.Cell]] = [:]
        for cell in rows.flatMap(\.cells) { places["\(cell.column) \(cell.path ?? [])", default: []].append(cell) }
        for (place, cells) in places {
            guard let best = cells.max(by: { Self.rank($0).lexicographicallyPrecedes(Self.rank($1)) }) else { continue }
            let time = Self.latest([covering, point.complexDeletions[best.column] ?? .live])
            if time.isLive || best.timestamp > time.timestamp { point.cells[place] = Self.describe(best) }
        }
        return point
    }

    private static func rank(_ liveness: Writer.Liveness) -> [Int64] {
        [liveness.timestamp, liveness.timeToLive == 0 ? 0 : 1, liveness.expiresAt]
    }

    /// A row that was read, in the model's terms.
    static func point(_ row: TableRow) -> Point {
        var point = Point()
        point.liveness = row.liveness
        point.deletion = row.deletion
        point.isShadowable = row.isDeletionShadowable
        for complex in row.complexDeletions { point.complexDeletions[Int(complex.column)] = complex.time }
        for cell in row.cells {
            let kind: Writer.CellKind =
                switch cell.kind {
                case .live: .live
                case .expiring: .expiring(timeToLive: cell.timeToLive, at: cell.localDeletionTime)
                case .tombstone: .tombstone(local: cell.localDeletionTime)
                }
            let path = row.slice(cell.path).map { Array($0.readableBytesView) }
            let value = row.slice(cell.value).map { Array($0.readableBytesView) } ?? []
            let written = Writer.Cell(
                column: Int(cell.column),
                path: path,
                timestamp: cell.timestamp,
                kind: kind,
                value: value
            )
            point.cells["\(cell.column) \(path ?? [])"] = Self.describe(written)
        }
        return point
    }
}
