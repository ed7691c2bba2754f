public import LiveTables
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
        /// How often the part was begun before. Lists that are written as a whole get a timestamp that is later by as many
        /// microseconds, up to 999, so that they replace what an earlier attempt has left instead of standing beside it.
        public var attempt: Int64 = 0
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
    /// The timestamp of the deleted range that is open; `Int64.min` for none.
    var openDeletion = Int64.min
    private var partitionDeletion = Int64.min
    /// The newest deletion that covers the row to come, its own aside.
    var coveringDeletion: Int64 { max(self.partitionDeletion, self.openDeletion) }

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
        self.openDeletion = .min
        self.partitionDeletion = partition.deletion.isLive ? .min : partition.deletion.timestamp
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
            TargetStatement(text, selected + [ByteBuffer(integer: timestamp)] + key + values, timestamp: timestamp)
        )
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
        guard row.isStatic || clustering.count == self.table.clustering.count else {
            result.unloadable.append(.init(reason: .clustering))
            return
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
            result.statements.append(self.texts.statement(group, key, clustering, isStatic: row.isStatic))
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
}
