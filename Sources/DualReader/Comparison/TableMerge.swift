import CQLProtocol
import LiveTables
import NIOCore

/// A row that differed when it was met, or the static columns of a partition.
struct Suspect: Sendable {
    let place: RowPlace
    var differences: [Difference]
}

/// Merges the rows of both clusters in the order of tokens, keys and clustering, and finds those that differ. Pure: pages are
/// given to it.
///
/// Rows of equal bytes are neither cut nor copied. Memory is one page of each side and ``suspectsMax`` rows.
struct TableMerge {
    /// What it cannot go on without.
    enum Need: Sendable, Hashable {
        /// The next page of a side or of both.
        case pages(source: Bool, target: Bool)
        /// Somebody to take the suspects.
        case room
        /// Nothing: all rows were met.
        case nothing
    }

    let comparison: RowComparison
    private(set) var source: RowCursor
    private(set) var target: RowCursor
    /// What was counted in partitions that are behind.
    private var closed = CompareTally()
    /// What was counted in the partition at hand: who claims what is behind must not claim that, or it counts twice when somebody
    /// else goes on from there.
    private var tally = CompareTally()
    private(set) var suspects: [Suspect] = []
    private let suspectsMax: Int
    private let hasStatics: Bool
    private let haveSameLayout: Bool
    private let tenants: (sourcePlace: Int, targetPlace: Int, values: Set<ByteBuffer>)?

    /// The key of the partition at hand, each value with its length before it.
    private var key: [UInt8] = []
    private var hasPartition = false
    private var areStaticsDone = true

    init(
        _ comparison: RowComparison,
        source: RowLayout,
        target: RowLayout,
        tenants: (column: String, values: Set<ByteBuffer>)? = nil,
        suspectsMax: Int
    ) {
        self.comparison = comparison
        self.source = RowCursor(source)
        self.target = RowCursor(target)
        self.suspectsMax = max(1, suspectsMax)
        self.hasStatics = comparison.table.columns.contains(where: \.isStatic)
        self.haveSameLayout = source.cells == target.cells && source.select.times == target.select.times
        self.tenants = tenants.flatMap { tenants in
            guard let one = source.place(of: tenants.column), let other = target.place(of: tenants.column) else {
                return nil
            }
            return (one, other, tenants.values)
        }
    }

    /// The suspects since the last time, and what was counted in partitions that are behind; in all of them where all rows were
    /// met.
    mutating func take() -> (suspects: [Suspect], tally: CompareTally) {
        if !self.source.hasRow, self.source.isLast, !self.target.hasRow, self.target.isLast { self.close() }
        defer { (self.suspects, self.closed) = ([], CompareTally()) }
        return (self.suspects, self.closed)
    }

    private mutating func close() {
        self.closed += self.tally
        self.tally = CompareTally()
    }

    /// The next page of a side.
    mutating func supply(_ page: LiveRows, of side: Side) throws {
        switch side {
        case .source:
            self.closed.sourceBytes += page.rows.cells.readableBytes
            try self.source.supply(page)
        case .target:
            self.closed.targetBytes += page.rows.cells.readableBytes
            try self.target.supply(page)
        }
    }

    /// The token below which everything was met; nil before the first partition. Several keys may have one token.
    var completeBefore: Int64? {
        guard self.hasPartition else { return nil }
        return Self.token(ofCells: self.key, count: self.source.layout.keyCount)
    }

    /// Goes on until something is needed.
    mutating func run() -> Need {
        while true {
            let needsSource = !self.source.hasRow && !self.source.isLast
            let needsTarget = !self.target.hasRow && !self.target.isLast
            if needsSource || needsTarget { return .pages(source: needsSource, target: needsTarget) }
            guard self.source.hasRow || self.target.hasRow else { return .nothing }
            guard self.suspects.count < self.suspectsMax else { return .room }
            self.step()
        }
    }

    private mutating func step() {
        guard self.source.hasRow else { return self.alone(.target) }
        guard self.target.hasRow else { return self.alone(.source) }
        let tolerance = self.comparison.rules.timeToLiveToleranceSeconds
        if self.haveSameLayout, self.source.agrees(with: self.target, within: tolerance) {
            self.begin(self.source)
            self.areStaticsDone = true
            if !self.source.isStaticOnly { self.count(isWanted: self.isWanted(.source), isShared: true) }
            self.source.advance()
            self.target.advance()
            return
        }
        let order = self.order()
        if order < 0 { return self.alone(.source) }
        if order > 0 { return self.alone(.target) }
        self.together()
    }

    // MARK: Partitions

    /// Notes where a partition begins.
    private mutating func begin(_ cursor: RowCursor) {
        let isSame = self.hasPartition && self.isInPartition(cursor)
        guard !isSame else { return }
        cursor.bytes.withUnsafeReadableBytes { bytes in
            self.key.removeAll(keepingCapacity: true)
            self.key.append(contentsOf: bytes[..<cursor.keyEnd])
        }
        self.hasPartition = true
        self.close()
        self.tally.partitions += 1
        self.areStaticsDone = !self.hasStatics
    }

    private func isInPartition(_ cursor: RowCursor) -> Bool {
        guard self.key.count == cursor.keyEnd else { return false }
        return cursor.bytes.withUnsafeReadableBytes { bytes in
            self.key.withUnsafeBytes { $0.elementsEqual(bytes[..<cursor.keyEnd]) }
        }
    }

    private func isWanted(_ side: Side) -> Bool {
        guard let tenants else { return true }
        return side == .source
            ? self.source.isCell(at: tenants.sourcePlace, among: tenants.values)
            : self.target.isCell(at: tenants.targetPlace, among: tenants.values)
    }

    private mutating func count(isWanted: Bool, isShared: Bool) {
        guard isWanted else {
            self.tally.rowsLeftOut += 1
            return
        }
        self.tally.rows += 1
        if isShared { self.tally.cells += self.comparison.regularCount }
    }

    // MARK: Rows

    /// A row that one side alone has.
    private mutating func alone(_ side: Side) {
        let cursor = side == .source ? self.source : self.target
        let other = side == .source ? self.target : self.source
        self.begin(cursor)
        let isWanted = self.isWanted(side)
        let isOtherHere = other.hasRow && self.isInPartition(other)
        self.compareStatics(
            source: side == .source || isOtherHere ? self.source : nil,
            target: side == .target || isOtherHere ? self.target : nil,
            isWanted: isWanted
        )
        if !cursor.isStaticOnly {
            self.count(isWanted: isWanted, isShared: false)
            if isWanted {
                let place = self.place(cursor, isStatic: false)
                let cells = self.cells(cursor, isStatic: false)
                self.suspect(place, source: side == .source ? cells : nil, target: side == .target ? cells : nil)
            }
        }
        if side == .source { self.source.advance() } else { self.target.advance() }
    }

    /// A row that both sides have.
    private mutating func together() {
        self.begin(self.source)
        let isWanted = self.isWanted(.source) || self.isWanted(.target)
        self.compareStatics(source: self.source, target: self.target, isWanted: isWanted)
        if !self.source.isStaticOnly {
            self.count(isWanted: isWanted, isShared: true)
            if isWanted {
                self.suspect(
                    self.place(self.source, isStatic: false),
                    source: self.cells(self.source, isStatic: false),
                    target: self.cells(self.target, isStatic: false)
                )
            }
        }
        self.source.advance()
        self.target.advance()
    }

    /// Each row of a partition has its statics: once is enough.
    private mutating func compareStatics(source: RowCursor?, target: RowCursor?, isWanted: Bool) {
        guard !self.areStaticsDone, isWanted, let any = source ?? target else { return }
        self.areStaticsDone = true
        self.suspect(
            self.place(any, isStatic: true),
            source: source.map { self.cells($0, isStatic: true) },
            target: target.map { self.cells($0, isStatic: true) }
        )
    }

    private mutating func suspect(_ place: RowPlace, source: RowComparison.Cells?, target: RowComparison.Cells?) {
        let differences = self.comparison.differences(at: place, source: source, target: target)
        if !differences.isEmpty { self.suspects.append(Suspect(place: place, differences: differences)) }
    }

    private func place(_ cursor: RowCursor, isStatic: Bool) -> RowPlace {
        RowPlace(
            key: cursor.key,
            clustering: isStatic ? nil : cursor.clustering,
            token: Self.token(ofCells: self.key, count: cursor.layout.keyCount)
        )
    }

    private func cells(_ cursor: RowCursor, isStatic: Bool) -> RowComparison.Cells {
        let layout = cursor.layout
        let cells = layout.select.cells(cursor.cells, from: layout.clusteringEnd, statics: isStatic)
        return RowComparison.Cells(cells: cells, readAt: cursor.readAt)
    }

    // MARK: Order

    /// Which row at hand comes first.
    private func order() -> Int {
        let (source, target) = (self.source, self.target)
        return source.bytes.withUnsafeReadableBytes { one in
            target.bytes.withUnsafeReadableBytes { other in
                let (key, otherKey) = (one[..<source.keyEnd], other[..<target.keyEnd])
                if !key.elementsEqual(otherKey) {
                    return Self.order(
                        UnsafeRawBufferPointer(rebasing: key),
                        UnsafeRawBufferPointer(rebasing: otherKey),
                        count: source.layout.keyCount
                    )
                }
                return self.clusteringOrder(
                    UnsafeRawBufferPointer(rebasing: one[source.keyEnd..<source.clusteringEnd]),
                    UnsafeRawBufferPointer(rebasing: other[target.keyEnd..<target.clusteringEnd])
                )
            }
        }
    }

    /// Partitions come by token; those of one token by the bytes of their key (`DecoratedKey.compareTo`).
    private static func order(_ one: UnsafeRawBufferPointer, _ other: UnsafeRawBufferPointer, count: Int) -> Int {
        let (key, otherKey) = (
            Self.routingKey(ofCells: one, count: count), Self.routingKey(ofCells: other, count: count)
        )
        return key.withUnsafeBytes { key in
            otherKey.withUnsafeBytes { otherKey in
                let order = ValueOrder.order(Murmur3Partitioner.token(of: key), Murmur3Partitioner.token(of: otherKey))
                return order != 0 ? order : ValueOrder.unsigned(key, otherKey)
            }
        }
    }

    /// Column by column; statics without rows come before all rows.
    private func clusteringOrder(_ one: UnsafeRawBufferPointer, _ other: UnsafeRawBufferPointer) -> Int {
        var (offset, otherOffset) = (0, 0)
        for column in self.comparison.table.clustering {
            let (length, otherLength): (Int32, Int32) = (
                ValueOrder.load(one, at: offset), ValueOrder.load(other, at: otherOffset)
            )
            if length < 0 || otherLength < 0 { return (length < 0 ? 0 : 1) - (otherLength < 0 ? 0 : 1) }
            let value = UnsafeRawBufferPointer(rebasing: one[(offset + 4)..<(offset + 4 + Int(length))])
            let otherValue = UnsafeRawBufferPointer(
                rebasing: other[(otherOffset + 4)..<(otherOffset + 4 + Int(otherLength))]
            )
            let order = ValueOrder.compare(value, otherValue, column.type, isEquality: false)
            if order != 0 { return column.isReversed ? -order : order }
            offset += 4 + Int(length)
            otherOffset += 4 + Int(otherLength)
        }
        return 0
    }

    static func token(ofCells cells: [UInt8], count: Int) -> Int64 {
        cells.withUnsafeBytes { cells in
            Self.routingKey(ofCells: cells, count: count).withUnsafeBytes { Murmur3Partitioner.token(of: $0) }
        }
    }

    /// The bytes by which servers route: a single value alone, several each with its length before it and a zero behind it
    /// (Cassandra's `CompositeType`).
    private static func routingKey(ofCells cells: UnsafeRawBufferPointer, count: Int) -> [UInt8] {
        if count == 1 { return Array(cells[4...]) }
        var key: [UInt8] = []
        key.reserveCapacity(cells.count)
        var offset = 0
        for _ in 0..<count {
            let length = max(0, Int(ValueOrder.load(cells, at: offset) as Int32))
            key.append(UInt8(truncatingIfNeeded: length >> 8))
            key.append(UInt8(truncatingIfNeeded: length))
            key.append(contentsOf: cells[(offset + 4)..<(offset + 4 + length)])
            key.append(0)
            offset += 4 + length
        }
        return key
    }
}
