import CQLProtocol
import LiveTables
import NIOCore

/// Compares what both clusters have of one row, or of one partition's static columns. Pure.
struct RowComparison: Sendable {
    /// What one cluster has.
    struct Cells: Sendable {
        /// In the order of the table's static or regular columns; nil is null.
        var cells: [LiveCell?]
        /// When they were read, in seconds since 1970.
        var readAt: Int64
    }

    let table: ComparedTable
    let rules: ComparisonRules
    private let statics: [ComparedTable.Column]
    private let regulars: [ComparedTable.Column]

    init(_ table: ComparedTable, _ rules: ComparisonRules) {
        self.table = table
        self.rules = rules
        self.statics = table.columns.filter(\.isStatic)
        self.regulars = table.columns.filter { !$0.isStatic }
    }

    /// Cells that each row has.
    var regularCount: Int { self.regulars.count }

    /// The columns of a place.
    func columns(of place: RowPlace) -> [ComparedTable.Column] {
        place.clustering == nil ? self.statics : self.regulars
    }

    /// All differences; nil stands for a row that is not there.
    func differences(at place: RowPlace, source: Cells?, target: Cells?) -> [Difference] {
        if place.clustering != nil {
            guard let source else { return target.map { [self.missing(.source, $0, place)] } ?? [] }
            guard let target else { return [self.missing(.target, source, place)] }
            return self.differences(place, source, target)
        }
        let none = Cells(cells: [LiveCell?](repeating: nil, count: self.statics.count), readAt: 0)
        return self.differences(place, source ?? none, target ?? none)
    }

    private func missing(_ side: Side, _ other: Cells, _ place: RowPlace) -> Difference {
        let times = other.cells.compactMap { $0 }.flatMap(\.allTimes)
        let content = Difference.Content(
            writetime: times.map(\.timestamp).max(),
            expiresAt: times.contains { $0.timeToLive == 0 }
                ? 0 : times.map(\.timeToLive).max().map { other.readAt + Int64($0) }
        )
        return Difference(
            kind: side == .target ? .missingOnTarget : .missingOnSource,
            aspect: side == .target ? .missingOnTarget : .missingOnSource,
            table: self.table.name,
            place: place,
            source: side == .target ? content : nil,
            target: side == .target ? nil : content
        )
    }

    private func differences(_ place: RowPlace, _ source: Cells, _ target: Cells) -> [Difference] {
        var found: [Difference] = []
        for (index, column) in self.columns(of: place).enumerated() {
            let (one, other) = (source.cells[index], target.cells[index])
            if one == nil, other == nil { continue }
            switch column.storage {
            case .cell:
                let pair = (self.content(one, source.readAt), self.content(other, target.readAt))
                self.compare(pair, column.type, of: column, nil, at: place, &found)
            case .counter:
                let pair = (self.content(one, source.readAt), self.content(other, target.readAt))
                guard !ValueOrder.areEqual(pair.0?.value, pair.1?.value, as: .bigint) else { continue }
                found.append(self.difference(.value, column, nil, place, pair))
            case .set, .map, .list, .userType:
                if let one, let other, one.value == other.value, one.times == other.times,
                    source.readAt == target.readAt || !one.isExpiring
                {
                    continue
                }
                self.compareElements((one, source.readAt), (other, target.readAt), of: column, at: place, &found)
            }
        }
        return found
    }

    private func content(_ cell: LiveCell?, _ readAt: Int64) -> Difference.Content? {
        guard let cell else { return nil }
        guard case .one(let time) = cell.times else { return Self.content(cell.value, nil, readAt) }
        return Self.content(cell.value, time, readAt)
    }

    static func content(_ value: ByteBuffer, _ time: LiveTime?, _ readAt: Int64) -> Difference.Content {
        // Copied, so that what is remembered does not keep whole pages.
        Difference.Content(
            value: ByteBuffer(bytes: value.readableBytesView),
            writetime: time?.timestamp,
            expiresAt: time.map { $0.timeToLive == 0 ? 0 : readAt + Int64($0.timeToLive) }
        )
    }

    typealias Pair = (source: Difference.Content?, target: Difference.Content?)

    /// Compares two cells; at most one difference comes of it.
    func compare(
        _ pair: Pair,
        _ type: DataType,
        of column: ComparedTable.Column,
        _ element: Difference.Element?,
        at place: RowPlace,
        _ found: inout [Difference]
    ) {
        guard let source = pair.source, let target = pair.target else {
            if pair.source == nil, pair.target == nil { return }
            let aspect: Difference.Aspect = pair.source == nil ? .missingOnSource : .missingOnTarget
            found.append(self.difference(aspect, column, element, place, pair))
            return
        }
        if !ValueOrder.areEqual(source.value, target.value, as: type) {
            found.append(self.difference(.value, column, element, place, pair))
        } else if let aspect = self.timesDiffer(source, target, column) {
            found.append(self.difference(aspect, column, element, place, pair))
        }
    }

    private func timesDiffer(
        _ source: Difference.Content,
        _ target: Difference.Content,
        _ column: ComparedTable.Column
    ) -> Difference.Aspect? {
        if column.storage == .list, !self.rules.comparesListTimes { return nil }
        if self.rules.comparesWritetimes, let one = source.writetime, let other = target.writetime {
            let distance = one.subtractingReportingOverflow(other)
            if distance.overflow || distance.partialValue.magnitude > self.rules.writetimeToleranceMicroseconds {
                return .writetime
            }
        }
        if self.rules.comparesTimeToLive, let one = source.expiresAt, let other = target.expiresAt {
            if (one == 0) != (other == 0) { return .timeToLive }
            if abs(one - other) > self.rules.timeToLiveToleranceSeconds { return .timeToLive }
        }
        return nil
    }

    private func difference(
        _ aspect: Difference.Aspect,
        _ column: ComparedTable.Column,
        _ element: Difference.Element?,
        _ place: RowPlace,
        _ pair: Pair
    ) -> Difference {
        let kind: Difference.Class
        if column.storage == .counter {
            kind = .counter
        } else if column.isStatic {
            kind = .staticColumn
        } else if [.set, .map, .list].contains(column.storage) {
            kind = .collectionElement
        } else {
            switch aspect {
            case .missingOnTarget, .missingOnSource, .value: kind = .value
            case .writetime: kind = .writetime
            case .timeToLive: kind = .timeToLive
            }
        }
        return Difference(
            kind: kind,
            aspect: aspect,
            table: self.table.name,
            place: place,
            column: column.name,
            element: element,
            source: pair.source,
            target: pair.target
        )
    }
}

extension LiveCell {
    /// All times that are told.
    var allTimes: [LiveTime] {
        switch self.times {
        case .unknown: []
        case .one(let time): [time]
        case .each(let times): times.compactMap { $0 }
        }
    }

    /// Whether a part of it ends some day.
    var isExpiring: Bool { self.allTimes.contains { $0.timeToLive != 0 } }
}
