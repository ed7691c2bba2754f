import NIOCore

/// `Index.db`: of every partition its key, its place, and the blocks of its rows where it has several (Cassandra's
/// `RowIndexEntry`).
struct IndexFile {
    /// A partition.
    struct Entry {
        let key: ByteBuffer
        let position: Int64
        /// Where the index of its rows lies in the file; of no bytes for a small partition.
        let rows: (start: Int64, count: Int64)
    }

    /// A key, and two numbers.
    private static var entryBytesMax: Int64 { (64 << 10) + 32 }
    /// Widths of blocks are differences to this (Cassandra's `IndexInfo.WIDTH_BASE`).
    private static var widthBase: Int64 { 64 << 10 }

    private let file: ComponentFile
    private var ahead: ReadAhead
    private var place: Int64

    init(_ path: String, from place: Int64, _ limits: SSTableLimits) throws(SSTableError) {
        self.file = try ComponentFile(path)
        self.ahead = ReadAhead(self.file, limits.readAheadBytes)
        self.place = place
    }

    /// The next entry; nil at the end.
    mutating func next() throws(SSTableError) -> Entry? {
        guard self.place < self.file.size else { return nil }
        let (start, path, size) = (self.place, self.file.path, self.file.size)
        var entry: Entry?
        let count = Int(min(Self.entryBytesMax, size - start))
        try self.ahead.with(start, count, "an entry") { (bytes) throws(SSTableError) in
            var cursor = ByteCursor(bytes)
            do throws(Fault) {
                let key = try cursor.shortBytes("a partition's key")
                let position = Int64(bitPattern: try cursor.vint("a partition's place"))
                let rows = Int64(bitPattern: try cursor.vint("the size of a row index"))
                let rowsStart = start + Int64(cursor.position)
                guard position >= 0, rows >= 0, rows <= size - rowsStart else {
                    throw cursor.fault(.malformed, "an entry", detail: "a row index of \(rows) bytes")
                }
                entry = Entry(key: ByteBuffer(bytes: cursor[key]), position: position, rows: (rowsStart, rows))
            } catch {
                throw SSTableError(error, path, from: start)
            }
        }
        if let entry { self.place = entry.rows.start + entry.rows.count }
        return entry
    }

    /// The blocks of a partition's rows.
    func blocks(
        _ entry: Entry,
        _ version: FormatVersion,
        _ clustering: [ColumnType],
        _ limits: SSTableLimits
    ) throws(SSTableError) -> [RowBlock] {
        guard entry.rows.count > 0 else { return [] }
        guard entry.rows.count <= Int64(limits.summaryBytesMax) else {
            throw SSTableError(
                .oversized,
                self.file.path,
                at: entry.rows.start,
                "a row index of \(entry.rows.count) bytes, and \(limits.summaryBytesMax) are the limit"
            )
        }
        let bytes = try self.file.bytes(at: entry.rows.start, Int(entry.rows.count), "a row index")
        do throws(Fault) {
            return try bytes.withCursor { (cursor) throws(Fault) in
                try Self.blocks(&cursor, entry.position, version, clustering, limits)
            }
        } catch {
            throw SSTableError(error, self.file.path, from: entry.rows.start)
        }
    }

    private static func blocks(
        _ cursor: inout ByteCursor,
        _ position: Int64,
        _ version: FormatVersion,
        _ clustering: [ColumnType],
        _ limits: SSTableLimits
    ) throws(Fault) -> [RowBlock] {
        _ = try cursor.vint("the head's size")
        _ = try cursor.deletionTime(version)
        let count = try cursor.count("the number of blocks")
        guard count <= limits.rowIndexBlocksMax else {
            throw cursor.fault(.oversized, "the number of blocks", detail: "\(count)")
        }
        var blocks: [RowBlock] = []
        var values: [ByteRange] = []
        for _ in 0..<count {
            for _ in 0..<2 { try Self.prefix(&cursor, clustering, &values) }
            let offset = Int64(bitPattern: try cursor.vint("a block's place"))
            let width = Self.widthBase &+ (try cursor.signedVint("a block's width"))
            guard offset >= 0, width >= 0 else { throw cursor.fault(.malformed, "a block's place") }
            let open = try cursor.boolean("a block's deletion") ? try cursor.deletionTime(version) : nil
            blocks.append(RowBlock(position: position &+ offset, openDeletion: open))
        }
        return blocks
    }

    /// A clustering of a row, or the bound of a range, with its kind before it.
    private static func prefix(
        _ cursor: inout ByteCursor,
        _ clustering: [ColumnType],
        _ values: inout [ByteRange]
    ) throws(Fault) {
        let isRow = try cursor.byte("the kind of a clustering") == 4
        let count = isRow ? clustering.count : Int(try cursor.integer("the size of a bound", as: UInt16.self))
        try cursor.clusteringValues(count, clustering, into: &values)
    }
}
