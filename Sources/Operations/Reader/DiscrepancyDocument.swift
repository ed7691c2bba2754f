/// What `GET /discrepancies` and `/discrepancies/{table}` answer.
public struct DiscrepanciesDocument: Codable, Sendable, Equatable {
    /// Differences that are listed, in the order of their tables.
    public var discrepancies: [DiscrepancyDocument]
    /// How many are remembered of what was asked for.
    public var total: Int
    /// Differences by class that the last comparison of each table has counted, those without any left out. More than are
    /// remembered where there are many.
    public var counted: [String: Int]

    /// Differences that one answer lists at most.
    public static var listedMax: Int { 1_000 }

    /// Creates a document.
    public init(discrepancies: [DiscrepancyDocument], total: Int, counted: [String: Int]) {
        self.discrepancies = discrepancies
        self.total = total
        self.counted = counted
    }
}

/// One difference.
public struct DiscrepancyDocument: Codable, Sendable, Equatable {
    /// What one cluster has of it.
    public struct Content: Codable, Sendable, Equatable {
        /// A CQL literal; absent for a whole row.
        public var value: String?
        /// Microseconds since 1970; absent where it is not told.
        public var writetime: Int64?
        /// Seconds since 1970, 0 for never; absent where it is not told.
        public var expiresAt: Int64?

        /// A content.
        public init(value: String?, writetime: Int64?, expiresAt: Int64?) {
            self.value = value
            self.writetime = writetime
            self.expiresAt = expiresAt
        }
    }

    /// Always the same for the same class, row, column and element.
    public var id: String
    /// The class.
    public var `class`: String
    /// What differs.
    public var aspect: String
    /// `keyspace.table`.
    public var table: String
    /// CQL literals of the partition key's columns.
    public var key: [String]
    /// Those of the clustering columns; absent for static columns.
    public var clustering: [String]?
    /// The column; absent for a whole row.
    public var column: String?
    /// An element of a collection.
    public var element: String?
    /// What the source has; absent where it has nothing.
    public var source: Content?
    /// What the target has; absent where it has nothing.
    public var target: Content?
    /// When the comparison that has found it last began.
    public var foundAt: String

    /// A difference.
    public init(
        id: String,
        class: String,
        aspect: String,
        table: String,
        key: [String],
        clustering: [String]?,
        column: String?,
        element: String?,
        source: Content?,
        target: Content?,
        foundAt: String
    ) {
        self.id = id
        self.class = `class`
        self.aspect = aspect
        self.table = table
        self.key = key
        self.clustering = clustering
        self.column = column
        self.element = element
        self.source = source
        self.target = target
        self.foundAt = foundAt
    }
}

/// What a successful `POST /discrepancies/clear` answers.
public struct DiscrepanciesClearedDocument: Codable, Sendable, Equatable {
    /// How many are forgotten.
    public var cleared: Int
    /// How many are still remembered.
    public var left: Int

    /// Creates a document.
    public init(cleared: Int, left: Int) {
        self.cleared = cleared
        self.left = left
    }
}

/// What a successful `POST /reconcile/{id}` answers.
public struct ReconciledDocument: Codable, Sendable, Equatable {
    /// What became of a row.
    public enum Outcome: String, Codable, Sendable {
        /// Both clusters agreed when it was read again; nothing was written.
        case agrees
        /// It was written, and both clusters agree.
        case repaired
        /// A dry run: it would be written.
        case listed
        /// Something of it was not written, or the clusters differ all the same.
        case unrepaired
    }

    /// The difference.
    public var id: String
    /// What became of its row.
    public var outcome: Outcome
    /// Why it was not repaired.
    public var reason: String?
    /// What an operator should know of what was written.
    public var notes: [String]
    /// Statements that a dry run lists, in the report file.
    public var statements: Int
    /// The file that tells of it.
    public var report: String

    /// Creates a document.
    public init(
        id: String,
        outcome: Outcome,
        reason: String? = nil,
        notes: [String] = [],
        statements: Int = 0,
        report: String
    ) {
        self.id = id
        self.outcome = outcome
        self.reason = reason
        self.notes = notes
        self.statements = statements
        self.report = report
    }
}
