public import CQLProtocol
public import LiveTables
public import TokenRanges

/// A table that both clusters have, with all that comparing its rows needs. Pure.
public struct ComparedTable: Sendable, Hashable {
    /// A column with its type.
    public struct Column: Sendable, Hashable {
        /// Its name, without quotes.
        public var name: String
        /// Its type.
        public var type: DataType
        /// Whether larger values come first; false for all but clustering columns.
        public var isReversed = false
        /// How it is kept; a cell for those of the key.
        public var storage = LiveTable.Storage.cell
        /// Whether the partition has it once.
        public var isStatic = false

        /// A column.
        public init(
            _ name: String,
            _ type: DataType,
            isReversed: Bool = false,
            storage: LiveTable.Storage = .cell,
            isStatic: Bool = false
        ) {
            self.name = name
            self.type = type
            self.isReversed = isReversed
            self.storage = storage
            self.isStatic = isStatic
        }
    }

    /// The table.
    public var name: TableName
    /// The partition key.
    public var partitionKey: [Column]
    /// The clustering columns.
    public var clustering: [Column]
    /// The other columns that are compared: statics, then regular ones, each by name.
    public var columns: [Column]

    /// A table of known columns.
    public init(name: TableName, partitionKey: [Column], clustering: [Column], columns: [Column]) {
        self.name = name
        self.partitionKey = partitionKey
        self.clustering = clustering
        self.columns = columns
    }

    /// Whether its columns count.
    public var isCounter: Bool { self.columns.contains { $0.storage == .counter } }
}

/// What counts as a difference.
public struct ComparisonRules: Sendable, Hashable {
    /// Seconds by which the ends of two lives may differ. Lives are told in whole seconds, and reckoned from the moment at which
    /// a page came: what is found in a slow page is read again before it counts.
    public var timeToLiveToleranceSeconds: Int64 = 10
    /// Microseconds by which two writetimes may differ.
    public var writetimeToleranceMicroseconds: Int64 = 0
    /// Whether writetimes are compared.
    public var comparesWritetimes = true
    /// Whether ends of lives are compared.
    public var comparesTimeToLive = true
    /// Whether the times of a list's elements are compared, where clusters tell them. No CQL statement can copy them: a list
    /// that was copied or repaired has one time for all of its elements.
    public var comparesListTimes = false

    /// Exact values and writetimes.
    public init() {}
}
