import CQLProtocol
import LiveTables
import NIOCore

/// Makes the digests of one cluster's rows, which come in the order of their tokens. Pure: pages are given to it.
///
/// A digest covers what ``RowComparison`` looks at and ``TableMerge`` counts: keys, values in canonical form, writetimes where
/// they are compared, and whether a life ends; of rows of other tenants nothing. When lives end is kept apart
/// (``LivesSketch``).
struct RowDigester: Sendable {
    /// What is done with the cell of one place.
    private enum Step: Sendable {
        /// Nothing: it is not compared, or belongs to the cell before it.
        case skip
        /// Its bytes are what it is.
        case exact
        case value(DataType, sorts: Bool)
        /// Seconds that are left.
        case life
        /// The value of a column that is kept in several cells; its times follow.
        case elements(column: Int)
    }

    private let comparison: RowComparison
    private let columns: [ComparedTable.Column]
    private let regular: [Step]
    /// Nil where there are no static columns.
    private let statics: [Step]?
    private let tenants: (place: Int, values: Set<ByteBuffer>)?
    private let untold: Set<String>
    private var cursor: RowCursor

    private var form = CanonicalBytes()
    private var lives: [Int64] = []
    private var key: [UInt8] = []
    private var leaf = 0
    private var hasPartition = false
    /// Whether something of the partition at hand is in the digest.
    private var isPartitionNoted = false
    private(set) var tree: DigestTree

    /// - Parameter untold: columns of which the times are left out, as one of the clusters does not tell them.
    init(
        _ comparison: RowComparison,
        _ layout: RowLayout,
        untold: Set<String>,
        tenants: (column: String, values: Set<ByteBuffer>)?,
        shape: DigestShape,
        seed: UInt64
    ) {
        self.comparison = comparison
        self.columns = comparison.table.columns
        self.untold = untold
        self.cursor = RowCursor(layout)
        self.tree = DigestTree(shape, seed: seed)
        self.tenants = tenants.flatMap { tenants in layout.place(of: tenants.column).map { ($0, tenants.values) } }
        self.regular = Self.steps(comparison, layout, untold, isStatic: false)
        self.statics =
            comparison.table.columns.contains(where: \.isStatic)
            ? Self.steps(comparison, layout, untold, isStatic: true) : nil
    }

    private static func steps(
        _ comparison: RowComparison,
        _ layout: RowLayout,
        _ untold: Set<String>,
        isStatic: Bool
    ) -> [Step] {
        let (table, rules) = (comparison.table, comparison.rules)
        // Keys of partitions go by their own way.
        var steps = [Step](repeating: .skip, count: layout.keyCount)
        steps += table.clustering.map { column in
            isStatic ? .skip : CanonicalBytes.isExact(column.type) ? .exact : .value(column.type, sorts: false)
        }
        for (index, (column, times)) in zip(table.columns, layout.select.times).enumerated() {
            let width = LiveSelect.width(times)
            guard column.isStatic == isStatic else {
                steps += [Step](repeating: .skip, count: 1 + width)
                continue
            }
            switch column.storage {
            case .cell:
                steps.append(CanonicalBytes.isExact(column.type) ? .exact : .value(column.type, sorts: true))
                let isTold = !untold.contains(column.name)
                for _ in 0..<(width / 2) {
                    steps.append(isTold && rules.comparesWritetimes ? .exact : .skip)
                    steps.append(isTold && rules.comparesTimeToLive ? .life : .skip)
                }
            case .counter:
                steps.append(.exact)
                steps += [Step](repeating: .skip, count: width)
            case .list, .set, .map, .userType:
                steps.append(.elements(column: index))
                steps += [Step](repeating: .skip, count: width)
            }
        }
        return steps
    }

    /// Everything was added: the tree.
    mutating func finished() -> DigestTree {
        self.tree.close()
        return self.tree
    }

    /// Adds the rows of a page.
    ///
    /// - Throws: ``CompareError`` where its rows do not have the columns that were asked for.
    mutating func add(_ page: LiveRows) throws {
        try self.cursor.supply(page)
        self.tree.bytes += page.rows.cells.readableBytes
        while self.cursor.hasRow {
            self.addRow()
            self.cursor.advance()
        }
    }

    private mutating func addRow() {
        let isNew = self.begin()
        let isWanted = self.tenants.map { self.cursor.isCell(at: $0.place, among: $0.values) } ?? true
        let isStaticOnly = self.cursor.isStaticOnly
        guard isWanted else {
            return self.tree.withLeaf(self.leaf) { leaf in
                if isNew { leaf.partitions += 1 }
                if !isStaticOnly { leaf.rowsLeftOut += 1 }
            }
        }
        self.form.removeAll()
        self.lives.removeAll(keepingCapacity: true)
        // Each digest covers the one before it, and so the order.
        let before = self.tree.leaves[self.leaf].digest
        self.form.append(before.high)
        self.form.append(before.low)
        if !self.isPartitionNoted {
            self.isPartitionNoted = true
            self.form.append(mark: 1)
            self.key.withUnsafeBytes { self.form.append(exact: $0) }
            if let statics { self.append(statics) }
        }
        if !isStaticOnly {
            self.form.append(mark: 2)
            self.append(self.regular)
        }
        let digest = self.form.bytes.withUnsafeBytes { RowDigest($0, seed: self.tree.seed) }
        self.tree.withLeaf(self.leaf) { leaf in
            leaf.digest = digest
            if isNew { leaf.partitions += 1 }
            if !isStaticOnly { leaf.rows += 1 }
        }
        self.tree.append(lives: self.lives)
    }

    /// Notes where a partition begins; says whether it does.
    private mutating func begin() -> Bool {
        let (cursor, key) = (self.cursor, self.key)
        let isSame = cursor.bytes.withUnsafeReadableBytes { bytes in
            self.hasPartition && key.count == cursor.keyEnd
                && key.withUnsafeBytes { $0.elementsEqual(bytes[..<cursor.keyEnd]) }
        }
        guard !isSame else { return false }
        cursor.bytes.withUnsafeReadableBytes { bytes in
            self.key.removeAll(keepingCapacity: true)
            self.key.append(contentsOf: bytes[..<cursor.keyEnd])
        }
        self.hasPartition = true
        self.isPartitionNoted = false
        self.leaf = self.tree.shape.leaf(of: TableMerge.token(ofCells: self.key, count: cursor.layout.keyCount))
        return true
    }

    // MARK: Cells

    private mutating func append(_ steps: [Step]) {
        let cursor = self.cursor
        var life: Int64?
        cursor.bytes.withUnsafeReadableBytes { bytes in
            var offset = 0
            for (place, step) in steps.enumerated() {
                let length: Int32 = ValueOrder.load(bytes, at: offset)
                let size = max(0, Int(length))
                switch step {
                case .skip: break
                case .exact:
                    self.form.bytes.append(contentsOf: bytes[offset..<(offset + 4 + size)])
                case .value(let type, let sorts):
                    let value = UnsafeRawBufferPointer(rebasing: bytes[(offset + 4)..<(offset + 4 + size)])
                    self.form.append(length < 0 ? nil : value, type, sorts: sorts)
                case .life:
                    let left: Int32 = length == 4 ? ValueOrder.load(bytes, at: offset + 4) : 0
                    self.append(left == 0 ? nil : cursor.readAt + Int64(left), after: &life)
                case .elements(let index): self.appendElements(of: index, at: place, from: offset, &life)
                }
                offset += 4 + size
            }
        }
    }

    /// Whether a life ends, and where it does not end with the one before it in the row, when.
    private mutating func append(_ end: Int64?, after life: inout Int64?) {
        guard let end else { return self.form.append(mark: 0) }
        if end == life { return self.form.append(mark: 2) }
        self.form.append(mark: 1)
        self.lives.append(end)
        life = end
    }

    private mutating func appendElements(of index: Int, at place: Int, from offset: Int, _ life: inout Int64?) {
        let (column, times) = (self.columns[index], self.cursor.layout.select.times[index])
        var rest = self.cursor.bytes
        rest.moveReaderIndex(forwardBy: offset)
        let cells = (0...LiveSelect.width(times)).map { _ -> ByteBuffer? in
            guard let length = rest.readInteger(as: Int32.self), length >= 0 else { return nil }
            return rest.readSlice(length: Int(length))
        }
        guard let value = cells[0] else { return self.form.append(UInt32.max) }
        let told = LiveSelect.times(
            self.cursor.layout.select.table.columns[index],
            times,
            Array(cells[1...])
        )
        guard let parts = RowComparison.parts(LiveCell(value, told), column) else {
            self.form.append(mark: 0)
            return value.withUnsafeReadableBytes { self.form.append(exact: $0) }
        }
        self.form.append(mark: 1)
        self.form.append(UInt32(truncatingIfNeeded: parts.count))
        for part in parts { self.append(part, column, &life) }
    }

    private mutating func append(_ part: RowComparison.Part, _ column: ComparedTable.Column, _ life: inout Int64?) {
        switch part.element {
        case .key(let key): key.withUnsafeReadableBytes { self.form.append($0, column.keyType, sorts: false) }
        case .field(let name): ByteBuffer(string: name).withUnsafeReadableBytes { self.form.append(exact: $0) }
        case .index: break
        }
        let type = RowComparison.valueType(of: part.element, column)
        part.value.withUnsafeReadableBytes { self.form.append($0, type, sorts: true) }
        let rules = self.comparison.rules
        guard column.storage != .list || rules.comparesListTimes, !self.untold.contains(column.name) else { return }
        if rules.comparesWritetimes { self.form.append(part.time?.timestamp ?? .min) }
        if rules.comparesTimeToLive {
            let left = part.time?.timeToLive ?? 0
            self.append(left == 0 ? nil : self.cursor.readAt + Int64(left), after: &life)
        }
    }
}
