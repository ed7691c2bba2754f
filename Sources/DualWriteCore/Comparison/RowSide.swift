import CQLProtocol
import NIOCore

/// A column that both answers have, with one type.
struct ColumnPair {
    /// Its place in the primary's rows.
    let primary: Int
    /// Its place in the shadow's.
    let shadow: Int
    let type: DataType

    /// The columns of which both sides have one of the same type.
    static func pairs(_ primary: [ColumnSpec], _ shadow: [ColumnSpec], of read: ComparedRead) -> [ColumnPair] {
        primary.indices.compactMap { index in
            // The client has named the columns in their order; those of `*` come in the order of the table.
            let other = read.items == nil ? shadow.firstIndex { $0.name == primary[index].name } : index
            guard let other, shadow.indices.contains(other) else { return nil }
            let type = primary[index].type.canonical
            guard type == shadow[other].type.canonical else { return nil }
            return ColumnPair(primary: index, shadow: other, type: type)
        }
    }
}

/// Where the key is among the paired columns.
struct KeyPlaces {
    /// The primary key; nil where the rows do not hold all of it.
    var row: [Int]?
    /// The partition key; nil as above.
    var partition: [Int]?

    init(_ columns: [ColumnPair], _ specs: [ColumnSpec], _ read: ComparedRead) {
        let places = read.primaryKey.map { name in
            columns.firstIndex { pair in
                // An alias may be the name of another column.
                guard let items = read.items else { return specs[pair.primary].name == name }
                return items.indices.contains(pair.primary) && items[pair.primary] == name
            }
        }
        let known = places.compactMap { $0 }
        self.row = known.count == places.count && !known.isEmpty ? known : nil
        let partition = places.prefix(read.partitionKeyCount).compactMap { $0 }
        self.partition = partition.count == read.partitionKeyCount && !partition.isEmpty ? partition : nil
    }
}

/// One answer's rows, of the paired columns alone, in a form in which equal values have equal bytes.
struct RowSide {
    typealias Cells = [[UInt8]?]

    let rows: [Cells]
    /// Whether there may be more rows behind the last one.
    let isCut: Bool
    /// The rows as they came, and where the paired columns are in them.
    private let raw: [Row]
    private let places: [Int]

    init(_ rows: Rows, _ places: [Int], _ types: [DataType], _ isCut: Bool) {
        self.raw = rows.rows
        self.places = places
        self.rows = self.raw.map { row in
            zip(places, types).map { CanonicalValue.form(of: row[$0], as: $1) }
        }
        self.isCut = isCut
    }

    /// What rows are matched by: the columns at these places, or all.
    func keys(_ places: [Int]?) -> [Cells] {
        guard let places else { return self.rows }
        return self.rows.map { row in places.map { row[$0] } }
    }

    func isUnique(by places: [Int]) -> Bool { Set(self.keys(places)).count == self.rows.count }

    /// The partition key of a row, as Cassandra routes by it.
    func partition(of index: Int, _ places: KeyPlaces) -> [UInt8]? {
        guard let places = places.partition, self.rows.indices.contains(index) else { return nil }
        let parts = places.compactMap { self.raw[index][self.places[$0]].map { Array($0.readableBytesView) } }
        return parts.count == places.count ? PartitionPlan.key(of: parts) : nil
    }
}

/// Which rows are on both sides.
struct RowMatch {
    /// The places of rows that both sides have, in the primary's order.
    private(set) var pairs: [(primary: Int, shadow: Int)] = []
    /// The places of rows that only the primary has.
    private(set) var onlyPrimary: [Int] = []
    /// The places of rows that only the shadow has.
    private(set) var onlyShadow: [Int] = []

    init(_ primary: [RowSide.Cells], _ shadow: [RowSide.Cells]) {
        // The last first, so that the next one is always at the end.
        var places: [RowSide.Cells: [Int]] = [:]
        for index in shadow.indices.reversed() { places[shadow[index], default: []].append(index) }
        for index in primary.indices {
            if let other = places[primary[index]]?.popLast() {
                self.pairs.append((index, other))
            } else {
                self.onlyPrimary.append(index)
            }
        }
        self.onlyShadow = places.values.joined().sorted()
    }

    /// The first row that both sides have and that stands elsewhere on the shadow; nil where all are in one order.
    var firstOutOfOrder: Int? {
        zip(self.pairs, self.pairs.dropFirst()).first { $0.shadow > $1.shadow }?.1.primary
    }

    /// What is definite of the rows that only one side has.
    struct Judged {
        var missing: [Int]
        var extra: [Int]
        /// The next row of the one side is not that of the other, and nothing says which of the two is lacking.
        var isTailDifferent = false
        /// Some rows are left out, and nothing says which ones the other side would have shown.
        var isPartial = false
    }

    /// Where places mean nothing: a row is lacking where a side that has shown everything does not have it.
    func judged(_ primary: RowSide, _ shadow: RowSide) -> Judged {
        var judged = Judged(missing: self.onlyPrimary, extra: self.onlyShadow)
        if shadow.isCut, !judged.missing.isEmpty { (judged.missing, judged.isPartial) = ([], true) }
        if primary.isCut, !judged.extra.isEmpty { (judged.extra, judged.isPartial) = ([], true) }
        return judged
    }

    /// Where rows have an order: all in front of the last row that both have shown is definite, too.
    func judgedInOrder(_ primary: RowSide, _ shadow: RowSide) -> Judged {
        guard primary.isCut || shadow.isCut else { return Judged(missing: self.onlyPrimary, extra: self.onlyShadow) }
        let last = (
            primary: self.pairs.map(\.primary).max() ?? -1, shadow: self.pairs.map(\.shadow).max() ?? -1
        )
        let isTailDifferent = last.primary < primary.rows.count - 1 && last.shadow < shadow.rows.count - 1
        return Judged(
            missing: self.onlyPrimary.filter { $0 < last.primary || !shadow.isCut && !isTailDifferent },
            extra: self.onlyShadow.filter { $0 < last.shadow || !primary.isCut && !isTailDifferent },
            isTailDifferent: isTailDifferent
        )
    }
}
