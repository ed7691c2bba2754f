public import NIOCore
public import TokenRanges

/// Which of the two clusters.
public enum Side: String, Sendable, Hashable, CaseIterable {
    /// The cluster that data comes from.
    case source
    /// The cluster that it goes to.
    case target

    /// The other one.
    public var other: Side { self == .source ? .target : .source }
}

/// Where a row is, or the static columns of a partition.
public struct RowPlace: Sendable, Hashable {
    /// The values of the partition key's columns, as the servers keep them.
    public var key: [ByteBuffer]
    /// The values of the clustering columns; nil for the static columns.
    public var clustering: [ByteBuffer]?
    /// The token of the key.
    public var token: Int64

    /// A place.
    public init(key: [ByteBuffer], clustering: [ByteBuffer]?, token: Int64) {
        self.key = key
        self.clustering = clustering
        self.token = token
    }
}

/// One thing about which the clusters do not agree: a row, a cell, or an element of one.
public struct Difference: Sendable, Hashable {
    /// The classes; each difference has one.
    public enum Class: String, Sendable, Hashable, CaseIterable {
        /// A row that the source has and the target has not.
        case missingOnTarget = "missing_on_target"
        /// A row that the target has and the source has not: an extra, perhaps a delete that was missed.
        case missingOnSource = "missing_on_source"
        /// The value of a regular column, or of a field of it. A value on one side alone is one, too.
        case value
        /// The end of a regular column's life, where its value and writetime are equal.
        case timeToLive = "ttl"
        /// The writetime of a regular column, where its value is equal.
        case writetime
        /// Anything about a static column; ``Difference/aspect`` says what.
        case staticColumn = "static"
        /// Anything about one element of a set, map or list that is not frozen; ``Difference/aspect`` says what.
        case collectionElement = "element"
        /// The value of a counter.
        case counter
    }

    /// What about it differs. Of several that do the first one here is told.
    public enum Aspect: String, Sendable, Hashable, CaseIterable {
        /// The source alone has it.
        case missingOnTarget = "missing_on_target"
        /// The target alone has it.
        case missingOnSource = "missing_on_source"
        /// The value.
        case value
        /// The writetime.
        case writetime
        /// The end of its life.
        case timeToLive = "ttl"
    }

    /// A part of a column's value.
    public enum Element: Sendable, Hashable {
        /// An element of a set, or the key of a map's entry, as bytes.
        case key(ByteBuffer)
        /// The place in a list, from 0.
        case index(Int)
        /// A field of a user-defined type that is not frozen.
        case field(String)
    }

    /// What one cluster has.
    public struct Content: Sendable, Hashable {
        /// The bytes of the value: of a map's entry the value, of a set's element the element. Nil for a whole row.
        public var value: ByteBuffer?
        /// Microseconds; of a whole row its newest. Nil where the cluster does not tell.
        public var writetime: Int64?
        /// When it ends, in seconds since 1970 by this process's clock; 0 for never, nil where the cluster does not tell.
        public var expiresAt: Int64?

        /// A content.
        public init(value: ByteBuffer? = nil, writetime: Int64? = nil, expiresAt: Int64? = nil) {
            self.value = value
            self.writetime = writetime
            self.expiresAt = expiresAt
        }
    }

    /// The class.
    public var kind: Class
    /// What differs.
    public var aspect: Aspect
    /// The table.
    public var table: TableName
    /// The row, or the partition's static columns.
    public var place: RowPlace
    /// The column, without quotes; nil for the row as a whole.
    public var column: String?
    /// The element of the column, where it is one.
    public var element: Element?
    /// What the source has; nil where it has nothing.
    public var source: Content?
    /// What the target has; nil where it has nothing.
    public var target: Content?

    /// A difference.
    public init(
        kind: Class,
        aspect: Aspect,
        table: TableName,
        place: RowPlace,
        column: String? = nil,
        element: Element? = nil,
        source: Content?,
        target: Content?
    ) {
        self.kind = kind
        self.aspect = aspect
        self.table = table
        self.place = place
        self.column = column
        self.element = element
        self.source = source
        self.target = target
    }

    /// Whether another reading found the very same: same place, and on both sides the same value and writetime. Lives are not
    /// looked at, as each reading reckons their ends anew.
    public func isSame(as other: Difference) -> Bool {
        self.kind == other.kind && self.place == other.place && self.column == other.column
            && self.element == other.element && Self.isSame(self.source, other.source)
            && Self.isSame(self.target, other.target)
    }

    private static func isSame(_ one: Content?, _ other: Content?) -> Bool {
        one?.value == other?.value && one?.writetime == other?.writetime && (one == nil) == (other == nil)
    }
}
