import CQLProtocol
public import NIOCore

extension SSTable {
    /// Reads the partitions with tokens of a range, which the index finds. Only for SSTables of `Murmur3Partitioner`.
    public func scanner(tokens: ClosedRange<Int64>) throws(SSTableError) -> SSTableScanner {
        try self.scanner(tokens: tokens, nil)
    }

    func scanner(tokens: ClosedRange<Int64>, _ places: ColumnPlaces?) throws(SSTableError) -> SSTableScanner {
        guard self.statistics.partitioner == .murmur3 else {
            throw SSTableError(
                .unsupported,
                self.name.path(.data),
                "has no tokens: it is ordered by \(self.statistics.partitioner)",
                advice: "read it as a whole"
            )
        }
        let start = try self.start(before: tokens.lowerBound)
        return SSTableScanner(self, places, from: start, tokens: tokens)
    }

    /// Begins the partition of a key; nil where the SSTable has none.
    public func scanner(key: ByteBuffer) throws(SSTableError) -> SSTableScanner? {
        let scanner: SSTableScanner
        switch self.statistics.partitioner {
        case .murmur3:
            let token = Murmur3Partitioner.token(of: key)
            scanner = try self.scanner(tokens: token...token)
        case .byteOrdered where self.name.version.family == .big:
            guard let entry = try self.entry(of: key) else { return nil }
            scanner = SSTableScanner(self, nil, from: entry.position)
        default: scanner = self.scanner()
        }
        while try scanner.nextPartition() {
            if scanner.partition?.key == key { return scanner }
        }
        return nil
    }

    /// Where a partition begins that is before all with this token or a higher one.
    ///
    /// Indexes have no checksums, and data has. So reading begins one partition early: its own token, in the data, shows that
    /// none is missed.
    private func start(before token: Int64) throws(SSTableError) -> Int64 {
        switch self.name.version.family {
        case .bti:
            var index = try TrieIndex(self.name)
            return try self.checked(try index.last(before: token) ?? 0, .partitions)
        case .big:
            var index = try self.index { Murmur3Partitioner.token(of: $0) < token }
            var start: Int64 = 0
            while let entry = try index.next(), Murmur3Partitioner.token(of: entry.key) < token {
                start = entry.position
            }
            return try self.checked(start, .index)
        }
    }

    private func checked(_ position: Int64, _ component: SSTableName.Component) throws(SSTableError) -> Int64 {
        guard (0...self.dataLength).contains(position) else {
            throw SSTableError(
                .malformed,
                self.name.path(component),
                "a partition would lie at byte \(position) of \(self.dataLength)"
            )
        }
        return position
    }

    /// `Index.db` from the last sampled entry on that is before what is sought.
    private func index(_ isBefore: (ByteBuffer) -> Bool) throws(SSTableError) -> IndexFile {
        var place: Int64 = 0
        let path = self.name.path(.summary)
        // A summary can be made anew from the index, and tools leave it out.
        if SystemCalls.isFolder(path) == false { place = try Summary(path).place(isBefore) }
        return try IndexFile(self.name.path(.index), from: place, self.data.limits)
    }

    private func entry(of key: ByteBuffer) throws(SSTableError) -> IndexFile.Entry? {
        func isBefore(_ other: ByteBuffer) -> Bool {
            Partition(key: other, self.statistics.partitioner, deletion: .live, position: 0)
                .isBefore(Partition(key: key, self.statistics.partitioner, deletion: .live, position: 0))
        }
        var index = try self.index(isBefore)
        while let entry = try index.next() {
            if entry.key == key { return entry }
            if !isBefore(entry.key) { return nil }
        }
        return nil
    }

    /// The blocks of rows of a partition of this SSTable, in their order; none where it is small.
    public func blocks(of partition: Partition) throws(SSTableError) -> [RowBlock] {
        let blocks: [RowBlock]
        switch self.name.version.family {
        case .bti:
            var index = try TrieIndex(self.name)
            guard let place = try index.find(partition) else { return [] }
            blocks = try index.blocks(place, self.data.limits)
        case .big:
            guard let entry = try self.entry(of: partition.key) else { return [] }
            let index = try IndexFile(self.name.path(.index), from: 0, self.data.limits)
            blocks = try index.blocks(entry, self.name.version, self.header.clustering, self.data.limits)
        }
        let component: SSTableName.Component = self.name.version.family == .big ? .index : .rows
        for block in blocks { _ = try self.checked(block.position, component) }
        return blocks
    }
}
