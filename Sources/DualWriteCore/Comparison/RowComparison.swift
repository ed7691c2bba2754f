public import CQLProtocol
import NIOCore

/// How the rows of one read differ between the clusters; pure.
///
/// Bytes that are the same are equal without a look at them. Else cells are compared as values of their types
/// (``CanonicalValue``), columns by their places in the projection (`*`: by name), rows by their primary key where the projection
/// holds it, else as wholes. Where one side has more pages, only what both have shown is judged.
public struct RowComparison: Sendable, Hashable {
    /// A way in which the shadow's rows are not the primary's.
    public enum Difference: String, Sendable, Hashable, CaseIterable {
        /// A row that only the primary has.
        case missing
        /// A row that only the shadow has.
        case extra
        /// A row of one key with other values; without a key, a row in the place of another one.
        case different
        /// The same rows of one partition, or of one scan, in another order.
        case order
        /// A column that only one side has, or whose types differ. Its cells are not compared.
        case schema
    }

    /// Partitions that are told of one comparison.
    public static var partitionsMax: Int { 16 }

    private var counts: [Difference: Int] = [:]
    /// The partition keys of rows that differ, as Cassandra routes by them, where rows tell them; no more than ``partitionsMax``.
    public private(set) var partitions: [[UInt8]] = []
    /// Whether nothing can be said: one side has shown only some of its rows, and nothing says which.
    public private(set) var isUndecidable = false

    /// How often a difference was found.
    public subscript(difference: Difference) -> Int { self.counts[difference] ?? 0 }
    /// The differences that were found.
    public var differences: [Difference] { Difference.allCases.filter { self[$0] > 0 } }
    /// Whether both sides have the same.
    public var isEqual: Bool { self.counts.isEmpty && !self.isUndecidable }
    /// Whether rows differ, and not only what they consist of.
    public var rowsDiffer: Bool { self.differences.contains { $0 != .schema } }

    /// A comparison that has found these differences.
    public init(_ counts: [Difference: Int], partitions: [[UInt8]] = []) {
        self.counts = counts.filter { $0.value > 0 }
        self.partitions = Array(partitions.prefix(Self.partitionsMax))
    }

    /// Compares two answers to one read.
    ///
    /// - Parameter primary: where it has no metadata, because its client knows them, it is taken to have the shadow's.
    public init(primary: Rows, shadow: Rows, of read: ComparedRead) {
        var primary = primary
        if primary.metadata.isSkipped, primary.metadata.columnCount == shadow.metadata.columnCount {
            primary.metadata.columns = shadow.metadata.columns
        }
        let columns = ColumnPair.pairs(primary.metadata.columns, shadow.metadata.columns, of: read)
        let unpaired = max(primary.metadata.columnCount, shadow.metadata.columnCount) - columns.count
        if unpaired > 0 {
            self.counts[.schema] = unpaired
        } else if primary.rowCount == shadow.rowCount, primary.cells == shadow.cells,
            columns.allSatisfy({ $0.primary == $0.shadow })
        {
            return
        }
        let isCut = (
            primary: primary.isCut(read, other: shadow.rowCount), shadow: shadow.isCut(read, other: primary.rowCount)
        )
        self.compare(
            RowSide(primary, columns.map(\.primary), columns.map(\.type), isCut.primary),
            RowSide(shadow, columns.map(\.shadow), columns.map(\.type), isCut.shadow),
            KeyPlaces(columns, primary.metadata.columns, read),
            isOrdered: read.order != .none
        )
    }

    private mutating func compare(_ primary: RowSide, _ shadow: RowSide, _ places: KeyPlaces, isOrdered: Bool) {
        let row = places.row.flatMap { primary.isUnique(by: $0) && shadow.isUnique(by: $0) ? $0 : nil }
        let match = RowMatch(primary.keys(row), shadow.keys(row))
        for (left, right) in match.pairs where primary.rows[left] != shadow.rows[right] {
            self.note(.different, primary.partition(of: left, places))
        }
        if isOrdered, let swapped = match.firstOutOfOrder {
            self.note(.order, primary.partition(of: swapped, places))
        }
        let judged = isOrdered ? match.judgedInOrder(primary, shadow) : match.judged(primary, shadow)
        if judged.isTailDifferent { self.note(.different, nil) }
        var (missing, extra) = (judged.missing, judged.extra)
        if row == nil {
            // Without a key, one row in the place of another is one difference.
            let replaced = min(missing.count, extra.count)
            for index in missing.prefix(replaced) { self.note(.different, primary.partition(of: index, places)) }
            (missing, extra) = (Array(missing.dropFirst(replaced)), Array(extra.dropFirst(replaced)))
        }
        for index in missing { self.note(.missing, primary.partition(of: index, places)) }
        for index in extra { self.note(.extra, shadow.partition(of: index, places)) }
        self.isUndecidable = judged.isPartial && self.counts.isEmpty
    }

    private mutating func note(_ difference: Difference, _ partition: [UInt8]?) {
        self.counts[difference, default: 0] += 1
        guard let partition, self.partitions.count < Self.partitionsMax, !self.partitions.contains(partition) else {
            return
        }
        self.partitions.append(partition)
    }
}

extension Rows {
    /// Whether there may be more rows behind the last one.
    ///
    /// - Parameter other: the number of the other side's rows, which are not above a LIMIT that only the values tell.
    fileprivate func isCut(_ read: ComparedRead, other: Int) -> Bool {
        if self.metadata.pagingState != nil { return true }
        return read.limit.map { self.rowCount >= $0 } ?? (read.hasLimit && self.rowCount >= other)
    }
}
