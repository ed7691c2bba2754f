/// What `GET /v1/tables` answers: all that a sidecar knows by table.
///
/// It counts reads that are compared, writes that are owed, and partitions in doubt by table, and takes what loader and reader
/// report. Writes and reads of clients it counts by cluster alone (`GET /v1/status`): a counter for each table would be paid for
/// by every request.
public struct TablesDocument: Codable, Sendable, Equatable {
    /// One table.
    public struct Table: Codable, Sendable, Equatable {
        /// `keyspace.table`; `other` for those beyond a limit, `unknown` for what nobody can tell.
        public var table: String
        /// Whether writes to it reach the shadow: `copied`, `filtered` by its name, or `tenants` where its rows' tenants decide.
        public var shadow: String
        /// The mode that it has of its own; nil where it has the sidecar's.
        public var mode: String?
        /// Writes that the source is owed.
        public var owedSource = 0
        /// Writes that the target is owed.
        public var owedTarget = 0
        /// The age of the oldest of them, in milliseconds.
        public var oldestOwedMs = 0
        /// Partitions in doubt.
        public var dirtyPartitions = 0
        /// Of these the ones that may lack an acknowledged write.
        public var dirtyWithLoss = 0
        /// Live reads of which it is known whether the clusters answer them alike, since the start.
        public var compared: UInt64 = 0
        /// Those that differ.
        public var mismatches: UInt64 = 0
        /// The share of its tokens that a bulk load has covered, 0 to 1; nil where none has reported it.
        public var loadedRatio: Double?
        /// The verdict of the last comparison of the whole table; nil where none has reported it.
        public var verdict: String?
        /// The differences that it found.
        public var differences: Int?

        /// A table about which nothing is known.
        public init(table: String, shadow: String = "copied") {
            self.table = table
            self.shadow = shadow
        }

        /// Whether somebody should look at it: it differs, or may lack a write.
        public var needsCare: Bool { self.mismatches > 0 || self.dirtyWithLoss > 0 || (self.differences ?? 0) > 0 }

        /// Whether it is named before `other` where not all are: those that need care, then those with most open.
        fileprivate func goes(before other: Table) -> Bool {
            if self.needsCare != other.needsCare { return self.needsCare }
            return (self.open, other.table) > (other.open, self.table)
        }

        private var open: UInt64 { UInt64(clamping: self.owedSource + self.owedTarget) &+ self.compared }
    }

    /// The tables that something is known of, by name.
    public var tables: [Table]
    /// Tables that are left out, because there are more than ``tablesMax``.
    public var tablesLeftOut: Int
    /// Whether all that is owed was looked at; if not, only the oldest of it is counted by table.
    public var owedComplete: Bool

    /// Tables that one document names.
    public static var tablesMax: Int { 1_000 }

    /// Creates a document; of too many tables those are named that need care or have most open.
    public init(tables: [Table], owedComplete: Bool) {
        var named = tables
        if named.count > Self.tablesMax {
            named.sort { $0.goes(before: $1) }
            named.removeLast(named.count - Self.tablesMax)
        }
        self.tables = named.sorted { $0.table < $1.table }
        self.tablesLeftOut = tables.count - named.count
        self.owedComplete = owedComplete
    }
}
