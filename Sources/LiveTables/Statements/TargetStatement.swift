public import NIOCore

/// One statement for the target: its text with markers, and their values.
public struct TargetStatement: Sendable, Hashable {
    /// The text. Statements of one shape have the same, so that it is prepared once.
    public var text: String
    /// The values of the markers.
    public var values: [ByteBuffer?]
    /// The timestamp that it carries, in microseconds; 0 for counters, which carry none.
    public var timestamp: Int64
    /// Whether it may be sent again when its outcome is not known. A list written as a whole may not: it would stand there
    /// twice.
    public var isIdempotent: Bool
    /// Whether it adds to counters, which go in batches of their own kind or in none.
    public var isCounter: Bool

    package init(
        _ text: String,
        _ values: [ByteBuffer?],
        timestamp: Int64,
        isIdempotent: Bool = true,
        isCounter: Bool = false
    ) {
        self.text = text
        self.values = values
        self.timestamp = timestamp
        self.isIdempotent = isIdempotent
        self.isCounter = isCounter
    }
}

/// What no statement can carry, and why; for the dead letters.
public struct Unloadable: Sendable, Hashable, CustomStringConvertible {
    /// The reasons.
    public enum Reason: String, Sendable, Hashable {
        /// A counter can only be added to; see the loader's own switch for counters.
        case counter = "a counter cannot be written with its value and timestamp"
        /// Compact tables of old can lack clustering values.
        case nullClustering = "a clustering value is missing, which CQL cannot say"
        /// A row that was added by Thrift to a compact table, which CQL does not show either.
        case clustering = "the row has clustering values that the target's table does not have"
        /// The bytes of the key do not have as many parts as the table.
        case key = "the key does not have the parts that the table's has"
        /// A collection or user-defined type from a live source that cannot be taken apart.
        case value = "the value's bytes are not those of its type"
    }

    /// Why.
    public var reason: Reason
    /// The column, where it is one.
    public var column: String?

    package init(reason: Reason, column: String? = nil) {
        self.reason = reason
        self.column = column
    }

    /// Reason and column.
    public var description: String { self.column.map { "\($0): \(self.reason.rawValue)" } ?? self.reason.rawValue }
}

/// What came of one row, range or partition.
public struct Translation: Sendable {
    /// In any order: timestamps decide, not the order of arrival.
    public package(set) var statements: [TargetStatement] = []
    /// What is not in the statements.
    public package(set) var unloadable: [Unloadable] = []
    /// Cells and deletions that are newer than the ceiling, and that dual writing has carried already.
    public package(set) var aboveCeiling = 0
    /// Lists that were written as a whole although their elements had several timestamps.
    public package(set) var flattenedLists = 0
    /// Columns of live rows whose time the source does not tell, and that have one by the rule of ``LiveStatements``.
    public package(set) var guessedColumns = 0
    /// Rows without anything that tells a time: their markers have that of the rule.
    public package(set) var guessedMarkers = 0

    /// Nothing yet.
    public init() {}
}
