/// What a drop does to the indexes of tables: made before anything is changed.
public struct IndexPlan: Sendable, Hashable {
    /// An index that stays.
    public struct Kept: Sendable, Hashable {
        /// The index.
        public var index: TableIndex
        /// Why it cannot be dropped.
        public var reason: String
    }

    /// The indexes that are dropped.
    public var dropped: [TableIndex] = []
    /// Those that stay, as nothing would make them again.
    public var kept: [Kept] = []
    /// Materialized views, `keyspace.view`. They slow a load down as indexes do, and are never dropped.
    public var views: [String] = []
}

/// What a restoration did.
public struct IndexRestoration: Sendable, Hashable {
    /// The indexes that were made again.
    public var made: [TableIndex] = []
    /// Those that were there already.
    public var found: [TableIndex] = []
}

/// A recorded index and what the cluster has of it.
public struct IndexStatus: Sendable, Hashable {
    /// What there is.
    public enum State: Sendable, Hashable {
        /// Nothing: it is dropped.
        case dropped
        /// The index with the definition that was recorded.
        case there(IndexBuild)
        /// Another index under its name; this is its definition.
        case different(String)
        /// Not even its table.
        case tableMissing
    }

    /// The index as it was recorded.
    public var index: TableIndex
    /// What there is.
    public var state: State
    /// Whose load it is dropped for at this moment, where that is known; it comes back with that load's end.
    public var holder: IndexHolder?

    /// Whether it is there as it was recorded, built or not.
    public var isThere: Bool {
        if case .there = self.state { return true }
        return false
    }
}

/// Whether all that was recorded is there again.
public struct IndexVerdict: Sendable, Hashable {
    /// The recorded indexes.
    public var indexes: [IndexStatus] = []
    /// Lines of the file, or rows of the table, that cannot be read; an index may be missing for each.
    public var damagedLines: Int = 0

    /// Whether every recorded index exists with the definition that was recorded.
    public var isComplete: Bool { self.damagedLines == 0 && self.indexes.allSatisfy(\.isThere) }
}
