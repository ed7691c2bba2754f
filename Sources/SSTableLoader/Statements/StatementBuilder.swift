import NIOCore
public import SSTable

/// Turns partitions, rows and deleted ranges into statements that write them with their own timestamps and lives.
///
/// Pure: time is passed in. What several statements say together is what the SSTables say, whatever the order in which they
/// arrive, and as often as they arrive.
public struct StatementBuilder {
    /// What decides besides the table.
    public struct Options: Sendable {
        /// The moment from which lives are counted, in seconds since 1970.
        public var now: Int64
        /// Nothing newer is written: since then dual writing has been active. In microseconds; nil for no limit.
        public var ceiling: Int64?
        /// Elements of one collection in one statement at most.
        public var elementsPerStatementMax = 500

        /// Everything, as seen at `now`.
        public init(now: Int64) { self.now = now }
    }

    /// What is written.
    public let table: TargetTable
    let columns: TableColumns
    var options: Options
    var texts: StatementTexts
    private var key: [ByteBuffer]?
    var openBound: RangeBound?

    /// A builder for rows with these columns.
    public init(_ columns: TableColumns, _ table: TargetTable, _ options: Options) {
        self.table = table
        self.columns = columns
        self.options = options
        self.texts = StatementTexts(table)
    }

    /// The moment from which lives are counted, in seconds since 1970; a long load sets it anew.
    public var now: Int64 {
        get { self.options.now }
        set { self.options.now = newValue }
    }

    /// Begins a partition: its deletion, where it has one.
    public mutating func begin(_ partition: Partition, into result: inout Translation) {
        self.openBound = nil
        self.key = Partition.components(of: partition.key, self.columns.partitionKey)
        guard self.key?.count == self.table.partitionKey.count else {
            self.key = nil
            result.unloadable.append(.init(reason: .key))
            return
        }
        guard !partition.deletion.isLive, self.isWanted(partition.deletion.timestamp, &result) else { return }
        self.delete(.deletePartition, [], at: partition.deletion.timestamp, &result)
    }

    func isWanted(_ timestamp: Int64, _ result: inout Translation) -> Bool {
        guard let ceiling = self.options.ceiling, timestamp > ceiling else { return true }
        result.aboveCeiling += 1
        return false
    }

    /// A deletion: its timestamp, the key of the partition, and what else the text asks for.
    mutating func delete(
        _ shape: StatementTexts.Shape,
        _ values: [ByteBuffer?],
        selected: [ByteBuffer?] = [],
        at timestamp: Int64,
        _ result: inout Translation
    ) {
        guard let key else { return }
        let text = self.texts.text(shape)
        result.statements.append(
            TargetStatement(text, selected + [Self.bytes(timestamp)] + key + values, timestamp: timestamp)
        )
    }

    static func bytes(_ number: some FixedWidthInteger) -> ByteBuffer {
        var bytes = ByteBuffer()
        bytes.writeInteger(number)
        return bytes
    }

    /// The row's statements: of each timestamp and life one, and its deletions.
    public mutating func add(_ row: TableRow, into result: inout Translation) {
        guard let key else { return }
        var clustering: [ByteBuffer?] = []
        for value in row.clustering {
            guard let slice = row.slice(value) else {
                result.unloadable.append(.init(reason: .nullClustering))
                return
            }
            clustering.append(slice)
        }
        if !row.deletion.isLive, self.isWanted(row.deletion.timestamp, &result) {
            self.delete(.deleteRow, clustering, at: row.deletion.timestamp, &result)
        }
        var groups = RowGroups(elementsMax: self.options.elementsPerStatementMax)
        if !row.liveness.isNone, self.isWanted(row.liveness.timestamp, &result) {
            groups.begin(row.liveness, now: self.options.now)
        }
        self.collect(row, &groups, &result)
        for group in groups.writes {
            let statement = self.write(group, key, clustering, isStatic: row.isStatic)
            result.statements.append(statement)
        }
        for group in groups.deletions {
            self.delete(
                .delete(group.targets, isStatic: row.isStatic),
                row.isStatic ? [] : clustering,
                selected: group.values,
                at: group.timestamp,
                &result
            )
        }
    }

    private mutating func write(
        _ group: RowGroups.Write,
        _ key: [ByteBuffer],
        _ clustering: [ByteBuffer?],
        isStatic: Bool
    ) -> TargetStatement {
        let using: [ByteBuffer?] = [Self.bytes(group.timestamp), Self.bytes(group.timeToLive)]
        if group.isInsert {
            let names = group.targets.compactMap { if case .column(let name) = $0 { name } else { nil } }
            let text = self.texts.text(.insert(names))
            return TargetStatement(text, key + clustering + group.values + using, timestamp: group.timestamp)
        }
        let text = self.texts.text(.update(group.targets, isStatic: isStatic))
        return TargetStatement(
            text,
            using + group.values + key + (isStatic ? [] : clustering),
            timestamp: group.timestamp,
            isIdempotent: group.isIdempotent
        )
    }
}
