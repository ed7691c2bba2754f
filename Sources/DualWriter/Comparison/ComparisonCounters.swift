public import DualWriteCore

/// What the comparisons of live reads have come to. Monotonic since the process started.
public struct ComparisonCounters: Sendable {
    /// Tables that one loop counts by name; what others add is counted together (``otherTables``).
    public static var tablesMax: Int { 100 }
    /// The name of all tables beyond ``tablesMax``.
    public static var otherTables: String { "other" }

    /// Why a read that was chosen was not compared. The client has its answer in any case.
    public enum Skip: String, Sendable, CaseIterable {
        /// As many comparisons are under way as may be (``DualWriterLimits/comparisonsMax``).
        case busy
        /// The shadow is behind, or fails: its rows would only say so once more.
        case behind
        /// There is no connection to the shadow under the client's name and in its keyspace yet.
        case disconnected
        /// The rows are longer than ``DualWriterLimits/comparisonBytesMax``.
        case tooLong = "too_long"
        /// A later page: its paging state is the primary's.
        case laterPage = "later_page"
        /// The statement or its consistency level is not one to compare.
        case statement
    }

    /// What a comparison came to.
    public enum Result: String, Sendable, CaseIterable {
        /// The same rows.
        case equal
        /// The same rows later: the shadow was behind.
        case settled
        /// Other rows or columns, confirmed.
        case mismatch
        /// The rows changed all the time, or the shadow did not get what it was owed.
        case undecided
        /// Both sides have shown some of their rows, and nothing says which.
        case unordered
        /// A cluster refused the read, or was silent.
        case unreadable
        /// The rows of a later look are longer than ``DualWriterLimits/comparisonBytesMax``.
        case tooLong = "too_long"

        /// Whether it tells if the clusters have the same.
        public var isVerdict: Bool { self == .equal || self == .settled || self == .mismatch }
    }

    /// The comparisons of one table.
    public struct Table: Sendable {
        /// How many came to what.
        public internal(set) var reads: [Result: UInt64] = [:]
        /// Confirmed mismatches that show a difference, by difference.
        public internal(set) var mismatches: [RowComparison.Difference: UInt64] = [:]
    }

    /// By table (`keyspace.table`).
    public private(set) var tables: [String: Table] = [:]
    /// Reads that were not compared, by reason.
    public internal(set) var skipped: [Skip: UInt64] = [:]
    /// Confirmed mismatches in rows; those in columns alone are not among them.
    public private(set) var mismatches: UInt64 = 0

    /// Nothing has been compared yet.
    public init() {}

    /// How many comparisons came to a result, over all tables.
    public subscript(result: Result) -> UInt64 { self.tables.values.reduce(0) { $0 + ($1.reads[result] ?? 0) } }

    mutating func count(_ result: Result, _ table: String, _ found: RowComparison? = nil) {
        let isKnown = self.tables[table] != nil || self.tables.count < Self.tablesMax
        let name = isKnown ? table : Self.otherTables
        self.tables[name, default: Table()].reads[result, default: 0] += 1
        guard let found else { return }
        if found.rowsDiffer { self.mismatches += 1 }
        for difference in found.differences {
            self.tables[name, default: Table()].mismatches[difference, default: 0] += 1
        }
    }

    mutating func add(_ other: ComparisonCounters) {
        self.skipped.merge(other.skipped, uniquingKeysWith: +)
        self.mismatches += other.mismatches
        self.tables.merge(other.tables) { mine, theirs in
            Table(
                reads: mine.reads.merging(theirs.reads, uniquingKeysWith: +),
                mismatches: mine.mismatches.merging(theirs.mismatches, uniquingKeysWith: +)
            )
        }
    }
}
