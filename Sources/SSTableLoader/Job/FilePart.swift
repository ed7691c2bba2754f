public import LiveTables
import NIOCore
import SSTable

/// One part of a job: a range of tokens of one table, from its SSTables to the target.
public struct FilePart: Sendable {
    /// The limits.
    public struct Limits: Sendable, Hashable {
        /// Bytes of values between two checkpoints, about; partitions are not divided.
        public var checkpointBytes = 16 << 20
        /// Partitions between two checkpoints, at most.
        public var checkpointPartitions = 10_000
        /// Rows after which the moment that lives are counted from is asked for anew.
        public var rowsPerMoment = 1_000

        /// The defaults.
        public init() {}
    }

    /// What was read and written.
    public struct Counts: Sendable, Hashable {
        /// Partitions that were read to their end.
        public internal(set) var partitions = 0
        /// Rows that were read, static ones included.
        public internal(set) var rows = 0
        /// Deleted ranges that were read.
        public internal(set) var ranges = 0
        /// Statements that were made of them.
        public internal(set) var statements = 0
        /// Bytes of the statements' values.
        public internal(set) var bytes = 0
        /// What is newer than the ceiling, and what dual writing has carried already.
        public internal(set) var aboveCeiling = 0
        /// Lists that were written as a whole although their elements had several timestamps.
        public internal(set) var flattenedLists = 0
        /// What no statement can say; it is in the dead letters.
        public internal(set) var unloadable = 0
    }

    /// The SSTables.
    public let source: SSTableSource
    /// The table that is written to.
    public let table: TargetTable
    /// Nothing newer is written, in microseconds; nil for no limit.
    public let ceiling: Int64?
    /// How often the part was begun before; see ``StatementBuilder/Options/attempt``.
    public let attempt: Int64
    /// Gives the second since 1970 from which lives are counted.
    public let now: @Sendable () -> Int64
    private let limits: Limits

    /// A part of known tables.
    public init(
        _ source: SSTableSource,
        to table: TargetTable,
        ceiling: Int64? = nil,
        attempt: Int64 = 0,
        limits: Limits = Limits(),
        now: @escaping @Sendable () -> Int64
    ) {
        self.source = source
        self.table = table
        self.ceiling = ceiling
        self.attempt = attempt
        self.limits = limits
        self.now = now
    }

    /// Loads the partitions with tokens in `(start, end]`.
    ///
    /// - Parameter checkpoint: Called with a token when everything up to it is acknowledged or dead-lettered, and at the end with
    ///   `end`: whoever begins behind it misses nothing. What it throws ends the part.
    /// - Throws: ``SSTableError`` that names file and offset, ``TargetWriterError``, `CancellationError` within a row's time.
    public func run(
        after start: Int64,
        through end: Int64,
        into writer: TargetWriter,
        checkpoint: (Int64, Counts) async throws -> Void
    ) async throws -> Counts {
        var counts = Counts()
        guard let partitions = try self.source.partitions(after: start, through: end) else { return counts }
        var options = StatementBuilder.Options(now: self.now())
        options.ceiling = self.ceiling
        options.attempt = self.attempt
        var builder = StatementBuilder(partitions.columns, self.table, options)
        var (last, claimed): (Int64?, Counts) = (nil, Counts())
        while try partitions.nextPartition() {
            try Task.checkCancellation()
            guard let partition = partitions.partition else { continue }
            // Of partitions with one token none is claimed before the last. Without tokens only the end can be claimed.
            if let last, let token = partition.token, last < token, self.isDue(counts, since: claimed) {
                try await writer.drain()
                try await checkpoint(last, counts)
                claimed = counts
            }
            builder.now = self.now()
            try await self.load(partition, partitions, &builder, writer, &counts)
            counts.partitions += 1
            if counts.partitions % Self.rowsPerTurn == 0 { await Task.yield() }
            last = partition.token
        }
        try await writer.drain()
        try await checkpoint(end, counts)
        return counts
    }

    /// Rows or partitions after which other tasks have their turn: reading does not wait for anything by itself.
    private static var rowsPerTurn: Int { 128 }

    private func isDue(_ counts: Counts, since claimed: Counts) -> Bool {
        counts.bytes - claimed.bytes >= self.limits.checkpointBytes
            || counts.partitions - claimed.partitions >= self.limits.checkpointPartitions
    }

    private func load(
        _ partition: Partition,
        _ partitions: TableMerge,
        _ builder: inout StatementBuilder,
        _ writer: TargetWriter,
        _ counts: inout Counts
    ) async throws {
        var translation = Translation()
        builder.begin(partition, into: &translation)
        if !partitions.staticRow.isEmpty {
            builder.add(partitions.staticRow, into: &translation)
            counts.rows += 1
        }
        try await self.write(translation, partition, writer, &counts)
        var rows = 0
        while let read = try partitions.next() {
            try Task.checkCancellation()
            translation = Translation()
            switch read {
            case .row:
                builder.add(partitions.row, into: &translation)
                counts.rows += 1
                rows += 1
                if rows % self.limits.rowsPerMoment == 0 { builder.now = self.now() }
                if rows % Self.rowsPerTurn == 0 { await Task.yield() }
            case .marker:
                builder.add(partitions.marker, into: &translation)
                if partitions.marker.closes != nil { counts.ranges += 1 }
            }
            try await self.write(translation, partition, writer, &counts)
        }
    }

    private func write(
        _ translation: Translation,
        _ partition: Partition,
        _ writer: TargetWriter,
        _ counts: inout Counts
    ) async throws {
        counts.statements += translation.statements.count
        counts.aboveCeiling += translation.aboveCeiling
        counts.flattenedLists += translation.flattenedLists
        counts.unloadable += translation.unloadable.count
        for statement in translation.statements {
            counts.bytes += statement.values.reduce(0) { $0 + ($1?.readableBytes ?? 0) }
        }
        try writer.bury(translation.unloadable, key: partition.key)
        try await writer.write(translation.statements, key: partition.key)
    }
}
