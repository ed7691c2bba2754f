import NIOCore

/// Several SSTables as one table: partitions, rows and cells in their order, of each the one that wins.
///
/// What a deletion covers does not come out, the deletion does. Expired cells come out as they are: what has expired is a
/// matter of the reader's clock. It holds as much as a scanner does for each SSTable. Not for two threads at once.
public final class TableMerge: PartitionSource {
    /// The columns of all SSTables.
    public let columns: TableColumns
    /// The partition that was begun last.
    public private(set) var partition: Partition?
    /// Its static row; empty where it has none.
    public private(set) var staticRow = TableRow()
    /// The marker that was read last; valid until the next read.
    public private(set) var marker = RangeMarker()

    /// The row that was read last; valid until the next read.
    public var row: TableRow { self.passedThrough.map { self.sources[$0].scanner.row } ?? self.merged }

    /// Rows of several files have no place.
    public var place: Int64? { nil }

    private struct Source {
        let scanner: SSTableScanner
        /// What it has read and nobody has taken.
        var head: SSTableScanner.Unfiltered?
        /// The range deletion that is open in it.
        var open: DeletionTime = .live
    }

    private let merger: RowMerger
    private let order: ClusteringOrder
    private var sources: [Source]
    /// Those that have a partition ready, the one that comes first at the end.
    private var waiting: [Int] = []
    /// Those whose partition is being read.
    private var current: [Int] = []
    /// Those whose head has been handed out.
    private var taken: [Int] = []
    private var passedThrough: Int?
    private var merged = TableRow()
    private var isBegun = false

    /// The SSTables as one table; with `tokens` only partitions of that range, which indexes find.
    public init(
        _ tables: [SSTable],
        tokens: ClosedRange<Int64>? = nil,
        limits: SSTableLimits = .init()
    ) throws(SSTableError) {
        guard tables.count <= limits.mergedFilesMax else {
            throw SSTableError(
                .oversized,
                tables[0].name.folder,
                "has \(tables.count) SSTables, and \(limits.mergedFilesMax) are the limit",
                advice: "let its server compact them first"
            )
        }
        let merged = try MergedColumns(tables)
        self.columns = merged.columns
        self.merger = RowMerger(merged.columns)
        self.order = ClusteringOrder(merged.columns.clustering)
        self.sources = []
        for (table, places) in zip(tables, merged.places) {
            if let tokens {
                self.sources.append(Source(scanner: try table.scanner(tokens: tokens, places)))
            } else {
                self.sources.append(Source(scanner: table.scanner(places)))
            }
        }
    }

    /// Begins the next partition, wherever the last one was left; false at the end.
    public func nextPartition() throws(SSTableError) -> Bool {
        for index in self.isBegun ? self.current : Array(self.sources.indices) { try self.advance(index) }
        self.isBegun = true
        self.current = []
        self.taken = []
        self.passedThrough = nil
        guard let first = self.waiting.popLast(), let head = self.sources[first].scanner.partition else { return false }
        self.current = [first]
        while let index = self.waiting.last, self.sources[index].scanner.partition?.key == head.key {
            self.current.append(index)
            self.waiting.removeLast()
        }
        // Smaller indices first, so that what is equal does not depend on the way here.
        self.current.sort()
        var deletion = DeletionTime.live
        for index in self.current {
            deletion = .later(deletion, self.sources[index].scanner.partition?.deletion ?? .live)
        }
        self.partition = Partition(head, deletion: deletion)
        let statics = self.current.map { self.sources[$0].scanner.staticRow }.filter { !$0.isEmpty }
        self.staticRow.clear()
        if !statics.isEmpty { self.merger.merge(statics, under: deletion, into: &self.staticRow) }
        for index in self.current { try self.read(index) }
        return true
    }

    /// Reads the next partition of a source and puts it in its place among those that wait.
    private func advance(_ index: Int) throws(SSTableError) {
        self.sources[index].open = .live
        guard try self.sources[index].scanner.nextPartition(), let partition = self.sources[index].scanner.partition
        else { return }
        var (low, high) = (0, self.waiting.count)
        while low < high {
            let middle = (low + high) / 2
            let other = self.sources[self.waiting[middle]].scanner.partition
            if other.map({ partition.isBefore($0) }) ?? false { low = middle + 1 } else { high = middle }
        }
        self.waiting.insert(index, at: low)
    }

    private func read(_ index: Int) throws(SSTableError) {
        self.sources[index].head = try self.sources[index].scanner.next()
    }

    /// Reads the next row or marker of the partition; nil at its end.
    public func next() throws(SSTableError) -> SSTableScanner.Unfiltered? {
        while true {
            for index in self.taken { try self.read(index) }
            self.taken = self.lowest()
            self.passedThrough = nil
            guard let first = self.taken.first, let head = self.sources[first].head else { return nil }
            switch head {
            case .row: if self.mergeRows() { return .row }
            case .marker: if self.mergeMarkers() { return .marker }
            }
        }
    }

    private func clusteringPlace(_ index: Int) -> ClusteringOrder.Place? {
        switch self.sources[index].head {
        case .row: .init(self.sources[index].scanner.row)
        case .marker: .init(self.sources[index].scanner.marker)
        case nil: nil
        }
    }

    /// The sources that have what comes next.
    private func lowest() -> [Int] {
        if self.current.count == 1 { return self.sources[self.current[0]].head == nil ? [] : self.current }
        var lowest: [Int] = []
        var best: ClusteringOrder.Place?
        for index in self.current {
            guard let place = self.clusteringPlace(index) else { continue }
            let result = best.map { self.order.compare(place, $0) } ?? -1
            if result < 0 {
                lowest = [index]
                best = place
            } else if result == 0 {
                lowest.append(index)
            }
        }
        return lowest
    }

    /// The range deletion that is open, where it adds to the one of the partition.
    private var openDeletion: DeletionTime {
        let open = self.current.reduce(DeletionTime.live) { .later($0, self.sources[$1].open) }
        return open.supersedes(self.partition?.deletion ?? .live) ? open : .live
    }

    private func mergeRows() -> Bool {
        let deletion = DeletionTime.later(self.partition?.deletion ?? .live, self.openDeletion)
        if self.taken.count == 1, RowMerger.isFinished(self.sources[self.taken[0]].scanner.row, under: deletion) {
            self.passedThrough = self.taken[0]
            return true
        }
        self.merger.merge(self.taken.map { self.sources[$0].scanner.row }, under: deletion, into: &self.merged)
        return !self.merged.isEmpty
    }

    private func mergeMarkers() -> Bool {
        let before = self.openDeletion
        let first = self.sources[self.taken[0]].scanner.marker
        for index in self.taken { self.sources[index].open = self.sources[index].scanner.marker.opens ?? .live }
        let after = self.openDeletion
        guard before != after else { return false }
        self.marker = first
        self.marker.position = -1
        self.marker.closes = before.isLive ? nil : before
        self.marker.opens = after.isLive ? nil : after
        return true
    }
}
