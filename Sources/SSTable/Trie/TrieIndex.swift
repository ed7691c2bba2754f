import NIOCore

/// `Partitions.db` and `Rows.db`: where partitions lie in `Data.db`, and where rows lie in the large ones.
struct TrieIndex {
    /// Where a partition is.
    enum Place {
        /// In `Data.db`.
        case data(Int64)
        /// Its entry in `Rows.db`.
        case rows(Int64)
    }

    private static var footerBytes: Int { 24 }
    /// Stands before the token (Cassandra's `ByteSource.NEXT_COMPONENT`).
    private static var nextComponent: UInt8 { 0x40 }
    /// Says that a hash of the key comes first.
    private static var hasHash: UInt8 { 8 }
    /// Says that a deletion is open where a block begins.
    private static var hasOpenDeletion: UInt8 { 8 }

    private var partitions: TrieFile
    private let rowsPath: String
    private let version: FormatVersion
    private let root: Int64
    /// How many partitions there are.
    let count: Int64

    init(_ name: SSTableName) throws(SSTableError) {
        let file = try ComponentFile(name.path(.partitions))
        guard file.size >= Int64(Self.footerBytes) else {
            throw SSTableError(.truncated, file.path, at: file.size, "the file is shorter than its footer")
        }
        let start = file.size - Int64(Self.footerBytes)
        var footer = try file.bytes(at: start, Self.footerBytes, "the footer")
        guard let (_, count, root) = footer.readMultipleIntegers(as: (Int64, Int64, Int64).self),
            (0..<start).contains(root), count >= 0, count <= start
        else { throw SSTableError(.malformed, file.path, at: start, "the footer names a root outside of the file") }
        self.partitions = TrieFile(file)
        self.rowsPath = name.path(.rows)
        self.version = name.version
        self.root = root
        self.count = count
    }

    /// A partition before all with this token or a higher one, and not far before them; nil where there is none.
    mutating func last(before token: Int64) throws(SSTableError) -> Int64? {
        guard let payload = try self.partitions.last(before: Self.key(token), root: self.root) else { return nil }
        return try self.dataPlace(try self.place(payload))
    }

    /// The head of the keys with a token, in the order of bytes.
    private static func key(_ token: Int64) -> [UInt8] {
        let ordered = UInt64(bitPattern: token) ^ 1 << 63
        return [Self.nextComponent] + (0..<8).map { UInt8(truncatingIfNeeded: ordered >> UInt64(56 - $0 * 8)) }
    }

    /// Where all partitions are, in their order.
    mutating func forEach(_ body: (Place) throws(SSTableError) -> Void) throws(SSTableError) {
        let copy = self
        try self.partitions.forEach(root: self.root, limit: self.count) { (payload) throws(SSTableError) in
            try body(try copy.place(payload))
        }
    }

    private func place(_ payload: TrieFile.Payload) throws(SSTableError) -> Place {
        do throws(Fault) {
            let place = try payload.bytes.withCursor { (cursor) throws(Fault) in
                guard payload.bits >= Self.hasHash else {
                    return try cursor.sizedInteger(Int(payload.bits), "a partition's place")
                }
                try cursor.skip(1, "a key's hash")
                return try cursor.sizedInteger(Int(payload.bits - Self.hasHash) + 1, "a partition's place")
            }
            return place < 0 ? .data(~place) : .rows(place)
        } catch {
            throw SSTableError(error, self.partitions.file.path, from: payload.place)
        }
    }

    func dataPlace(_ place: Place) throws(SSTableError) -> Int64 {
        switch place {
        case .data(let place): place
        case .rows(let place): try self.entry(at: place).data
        }
    }

    private struct Entry {
        let data: Int64
        let root: Int64
        let blocks: Int
    }

    /// A partition's entry in `Rows.db`: its key, where its data begins, and the root of its trie.
    private func entry(at place: Int64) throws(SSTableError) -> Entry {
        let file = try ComponentFile(self.rowsPath)
        let bytes = try file.bytes(at: place, Int(min(66 << 10, max(0, file.size - place))), "a partition's entry")
        do throws(Fault) {
            return try bytes.withCursor { (cursor) throws(Fault) in
                _ = try cursor.shortBytes("a partition's key")
                let base = place + Int64(cursor.position)
                let data = Int64(bitPattern: try cursor.vint("a partition's place"))
                let root = base &+ (try cursor.signedVint("the root of a row index"))
                let blocks = try cursor.count("the blocks of a partition")
                _ = try cursor.deletionTime(self.version)
                guard data >= 0, root >= 0, root < place else {
                    throw cursor.fault(.malformed, "a partition's entry", detail: "a trie at byte \(root)")
                }
                return Entry(data: data, root: root, blocks: blocks)
            }
        } catch {
            throw SSTableError(error, file.path, from: place)
        }
    }

    /// The blocks of a partition's rows, in their order; none for a small partition.
    func blocks(_ place: Place, _ limits: SSTableLimits) throws(SSTableError) -> [RowBlock] {
        guard case .rows(let place) = place else { return [] }
        let entry = try self.entry(at: place)
        guard entry.blocks <= limits.rowIndexBlocksMax else {
            throw SSTableError(
                .oversized,
                self.rowsPath,
                at: place,
                "a partition would have \(entry.blocks) blocks of rows"
            )
        }
        var file = TrieFile(try ComponentFile(self.rowsPath))
        var blocks: [RowBlock] = []
        let (version, path) = (self.version, self.rowsPath)
        try file.forEach(root: entry.root, limit: Int64(entry.blocks) + 1) { (payload) throws(SSTableError) in
            do throws(Fault) {
                let block = try payload.bytes.withCursor { (cursor) throws(Fault) in
                    let offset = try cursor.sizedInteger(Int(payload.bits & ~Self.hasOpenDeletion), "a block's place")
                    let open = payload.bits & Self.hasOpenDeletion != 0 ? try cursor.deletionTime(version) : nil
                    return RowBlock(position: entry.data &+ offset, openDeletion: open)
                }
                blocks.append(block)
            } catch {
                throw SSTableError(error, path, from: payload.place)
            }
        }
        // Behind the last block stands the end of the partition.
        return blocks.count > entry.blocks ? blocks.dropLast() : blocks
    }

    /// Where a partition of this SSTable is; nil where it is the second one with its token.
    mutating func find(_ partition: Partition) throws(SSTableError) -> Place? {
        guard let token = partition.token,
            let payload = try self.partitions.first(atOrAfter: Self.key(token), root: self.root)
        else { return nil }
        let place = try self.place(payload)
        return try self.dataPlace(place) == partition.position ? place : nil
    }
}
