import NIOCore

/// Reads the partitions of one SSTable in their order, and in each its rows and markers.
///
/// It holds a few chunks at a time and the row that it reads, whatever the size of the file. Not for two threads at once.
public final class SSTableScanner {
    /// What `next()` has read.
    public enum Unfiltered: Sendable, Hashable {
        /// `row`.
        case row
        /// `marker`.
        case marker
    }

    private enum State {
        case betweenPartitions, inPartition, atEnd
    }

    /// What is read.
    public let table: SSTable
    /// The partition that was begun last.
    public private(set) var partition: Partition?
    /// Its static row; empty where it has none.
    public private(set) var staticRow = TableRow()
    /// The row that was read last; valid until the next read.
    public private(set) var row = TableRow()
    /// The marker that was read last; valid until the next read.
    public private(set) var marker = RangeMarker()
    /// The place in the plain data up to which everything was read.
    public private(set) var position: Int64 = 0

    private let parser: RowParser
    private let reader: ChunkReader
    private let tokens: ClosedRange<Int64>?
    /// Whether the partition that comes next must be before the tokens, to show that none is missed.
    private var beginsBeforeTokens: Bool
    private var state = State.betweenPartitions
    private var window = ByteBuffer()
    private var nextChunk: Int64 = 0
    private var scratch: [ByteRange] = []

    /// A scanner of the partitions with these tokens, from the one at `start` on, which is before them or the first of all.
    init(
        _ table: SSTable,
        _ places: ColumnPlaces?,
        from start: Int64 = 0,
        tokens: ClosedRange<Int64>? = nil,
        takesDigest: Bool = false
    ) {
        self.table = table
        self.parser = RowParser(
            table.header,
            table.name.version,
            places,
            rowBytesMax: table.data.limits.rowBytesMax
        )
        self.reader = ChunkReader(table.data, takesDigest: takesDigest)
        self.tokens = tokens
        self.beginsBeforeTokens = tokens != nil && start > 0
        self.position = start
        self.nextChunk = start / Int64(table.data.chunkLength)
    }

    /// The checksum of all bytes of the data file, of which it reads what it has not read; nil where nobody wanted it.
    func digest() throws(SSTableError) -> UInt32? {
        try self.reader.digest?.finished(self.table.data)
    }

    /// Begins the next partition, wherever the last one was left; false at the end. Its static row is read with it.
    public func nextPartition() throws(SSTableError) -> Bool {
        while try self.begin() {
            guard let tokens, let token = self.partition?.token else { return true }
            if self.beginsBeforeTokens, token >= tokens.lowerBound {
                let path = self.table.data.file.path
                throw SSTableError(
                    .order,
                    path,
                    at: self.partition?.position,
                    "the index names a partition before token \(tokens.lowerBound), and it has token \(token)",
                    advice: "let its server make the index anew with nodetool scrub, or read the SSTable as a whole"
                )
            }
            self.beginsBeforeTokens = false
            if token > tokens.upperBound { break }
            if token >= tokens.lowerBound { return true }
        }
        self.state = .atEnd
        return false
    }

    private func begin() throws(SSTableError) -> Bool {
        if self.state == .inPartition { try self.skipRest() }
        guard self.state != .atEnd, self.position < self.table.data.length else { return false }
        let start = self.position
        let parser = self.parser
        let head = try self.read { (cursor) throws(Fault) in
            let head = try parser.partition(&cursor)
            // A key of its own storage, because whoever holds it must not hold the chunk.
            return (key: ByteBuffer(bytes: cursor[head.key]), deletion: head.deletion)
        }
        self.skip(head.count)
        let partition = Partition(
            key: head.result.key,
            self.table.statistics.partitioner,
            deletion: head.result.deletion,
            position: start
        )
        if self.table.isOrdered, self.partition?.isBefore(partition) == false {
            let path = self.table.data.file.path
            throw SSTableError(.order, path, at: start, "a partition does not come after the one before it")
        }
        self.partition = partition
        self.state = .inPartition
        self.staticRow.clear()
        if parser.hasStatics {
            let start = self.position
            let read = try self.read { (cursor) throws(Fault) in try parser.staticRow(&cursor, &self.staticRow) }
            self.staticRow.bytes = self.take(read.count)
            self.staticRow.position = start
        }
        return true
    }

    /// Goes on with a block of the partition that was begun last. Where the block says so, a range deletion is open there.
    public func move(to block: RowBlock) {
        self.position = block.position
        self.nextChunk = block.position / Int64(self.table.data.chunkLength)
        self.window = ByteBuffer()
        self.state = .inPartition
    }

    /// Reads the next row or marker of the partition; nil at its end.
    public func next() throws(SSTableError) -> Unfiltered? {
        guard self.state == .inPartition else { return nil }
        let start = self.position
        let parser = self.parser
        let read = try self.read { (cursor) throws(Fault) in
            try parser.unfiltered(&cursor, &self.row, &self.marker)
        }
        switch read.result {
        case .row:
            self.row.bytes = self.take(read.count)
            self.row.position = start
            return .row
        case .marker:
            self.marker.bytes = self.take(read.count)
            self.marker.position = start
            return .marker
        case .end:
            self.skip(read.count)
            self.state = .betweenPartitions
            return nil
        }
    }

    private func skipRest() throws(SSTableError) {
        let parser = self.parser
        while self.state == .inPartition {
            let read = try self.read { (cursor) throws(Fault) in
                try parser.skip(&cursor, &self.scratch)
            }
            self.skip(read.count)
            if read.result == .end { self.state = .betweenPartitions }
        }
    }

    /// Takes the next bytes out of the window.
    private func take(_ count: Int) -> ByteBuffer {
        self.position += Int64(count)
        return self.window.readSlice(length: count) ?? ByteBuffer()
    }

    /// Goes past the next bytes of the window.
    private func skip(_ count: Int) {
        self.position += Int64(count)
        self.window.moveReaderIndex(forwardBy: count)
    }

    /// Reads what `body` reads, with as many more chunks as that takes. What was read, of `count` bytes, stays in the window.
    private func read<Result>(
        _ body: (inout ByteCursor) throws(Fault) -> Result
    ) throws(SSTableError) -> (result: Result, count: Int) {
        while true {
            do throws(Fault) {
                var count = 0
                let result = try self.window.withCursor { (cursor) throws(Fault) in
                    let result = try body(&cursor)
                    count = cursor.position
                    return result
                }
                return (result, count)
            } catch {
                if case .short(let needed) = error.kind, try self.extend(to: needed) { continue }
                throw SSTableError(error, self.table.data.file.path, from: self.position)
            }
        }
    }

    /// Makes the window longer, to at least `needed` bytes; false at the end of the file.
    private func extend(to needed: Int) throws(SSTableError) -> Bool {
        let data = self.table.data
        let chunkLength = Int64(data.chunkLength)
        guard self.nextChunk * chunkLength < data.length else { return false }
        // The head of a partition is no row, but not longer than this either.
        guard needed <= data.limits.rowBytesMax + (1 << 20) else {
            throw SSTableError(
                .oversized,
                data.file.path,
                at: self.position,
                "a row would take \(needed) bytes, and \(data.limits.rowBytesMax) are the limit"
            )
        }
        guard Int64(needed) <= data.length - self.position else { return false }
        // So that chunks that only the row before has kept are free before there are more.
        self.row.bytes = ByteBuffer()
        self.marker.bytes = ByteBuffer()
        var longer = ByteBuffer()
        longer.reserveCapacity(max(needed, self.window.readableBytes) + Int(chunkLength))
        longer.writeImmutableBuffer(self.window)
        repeat {
            let before = longer.readableBytes
            try self.reader.append(self.nextChunk, to: &longer)
            if before == 0 {
                // After a search the place is within the chunk.
                longer.moveReaderIndex(forwardBy: Int(self.position - self.nextChunk * chunkLength))
            }
            self.nextChunk += 1
        } while longer.readableBytes < needed && self.nextChunk * chunkLength < data.length
        self.window = longer
        return true
    }
}

extension SSTableScanner: PartitionSource {
    /// The columns as this SSTable knows them.
    public var columns: TableColumns { self.table.header.columns }

    /// The place in the plain data up to which everything was read.
    public var place: Int64? { self.position }
}
