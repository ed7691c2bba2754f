import DualWriteCore
import EmbeddedNode

/// What is wrong with a cell.
enum CellFault: Sendable {
    /// Something that was acknowledged.
    case lacks(String)
    /// Something that must not be there.
    case hasTooMuch(String)
    /// Something that was done more than once.
    case hasTwice(String)
}

/// All that was asked for of one cell, as far as it reaches one cluster.
struct CellHistory {
    private struct Step {
        let entry: Ledger.Entry
        let effect: CellEffect
        let presence: Ledger.Presence
        var id: Int { self.entry.operation.id }
    }

    private let steps: [Step]
    /// Timestamps decide, not the order in which things were asked for.
    private let isStamped: Bool
    /// What nobody knows the outcome of may happen after what was asked for later.
    private let mayBeLate: Bool

    init(_ cell: SimulatedCell, _ entries: [Ledger.Entry], on cluster: Cluster) {
        self.isStamped = cell.table == .stamped
        self.mayBeLate = cell.table == .conditional || cell.table == .cleared
        self.steps = entries.flatMap { entry in
            entry.operation.changes.compactMap { change in
                change.effect(on: cell).map {
                    Step(entry: entry, effect: $0, presence: entry.presence(on: cluster))
                }
            }
        }
    }

    /// Whether `step` is certain to win over `other`.
    private func wins(_ step: Step, over other: Step) -> Bool {
        if self.isStamped { return (step.entry.operation.timestamp ?? 0) > (other.entry.operation.timestamp ?? 0) }
        if self.mayBeLate, other.entry.outcome == .unknown { return false }
        return other.entry.end < step.entry.start
    }

    func judge(_ value: String?) -> CellFault? {
        let musts = self.steps.filter { $0.presence == .must }
        guard let value else {
            let values = musts.filter { $0.effect != .nothing }
            guard !values.isEmpty else { return nil }
            let deletions = self.steps.filter { $0.effect == .nothing && $0.presence != .mustNot }
            let isExplained = deletions.contains { deletion in !values.contains { self.wins($0, over: deletion) } }
            return isExplained ? nil : .lacks("any of \(values.map { "w\($0.id)" })")
        }
        guard let writer = self.steps.first(where: { $0.effect == .value(value) }) else {
            return .hasTooMuch("'\(value)', which nobody has written")
        }
        guard writer.presence != .mustNot else {
            return .hasTooMuch("'\(value)', \(writer.entry.outcome) in \(writer.entry.modes)")
        }
        guard let later = musts.first(where: { self.wins($0, over: writer) }) else { return nil }
        return .lacks("w\(later.id), it has '\(value)'")
    }
}

extension SimulatedCell {
    /// The cell's value among a partition's entries.
    func value(in cells: [StoredCell]) -> String? {
        let clustering = self.table == .plain || self.table == .stamped ? [[0, 0, 0, UInt8(self.row)]] : []
        let found = cells.first { $0.kind == .cell(column: self.column) && $0.clustering == clustering }
        return found?.value.map { String(decoding: $0, as: UTF8.self) }
    }
}

/// How often each increment of a counter was applied.
struct CounterDigits {
    private let value: UInt64

    /// The value's bytes; none for a counter that nobody has touched.
    init(_ bytes: [UInt8]) { self.value = bytes.reduce(0) { $0 << 8 | UInt64($1) } }

    func judge(_ entries: [Ledger.Entry], _ partition: String, on cluster: Cluster) -> [CellFault] {
        entries.flatMap { entry in
            entry.operation.changes.compactMap { change in
                guard case .count(partition, let digit) = change else { return nil }
                let times = self.value >> UInt64(2 * digit) & 3
                switch (times, entry.presence(on: cluster)) {
                case (2..., _): return .hasTwice("w\(entry.operation.id)")
                case (0, .must): return .lacks("w\(entry.operation.id)")
                case (1, .mustNot): return .hasTooMuch("w\(entry.operation.id), \(entry.outcome)")
                default: return nil
                }
            }
        }
    }
}

/// The values of a list in their order.
struct StoredList {
    private let values: [String]

    init(_ cells: [StoredCell]) {
        self.values = ComparableCell.listElements(cells).compactMap { cell in
            cell.value.map { String(decoding: $0, as: UTF8.self) }
        }
    }

    func judge(_ entries: [Ledger.Entry], on cluster: Cluster) -> [CellFault] {
        var faults: [CellFault] = []
        var last: (entry: Ledger.Entry, index: Int)?
        for entry in entries {
            for case .append(_, let value) in entry.operation.changes {
                let places = self.values.indices.filter { self.values[$0] == value }
                if places.count > 1 { faults.append(.hasTwice(value)) }
                switch (places.first, entry.presence(on: cluster)) {
                case (nil, .must): faults.append(.lacks(value))
                case (nil, _): break
                case (.some, .mustNot): faults.append(.hasTooMuch("\(value), \(entry.outcome)"))
                case (let place?, .must):
                    if let last, last.index > place, last.entry.end < entry.start {
                        faults.append(.hasTooMuch("\(value) before w\(last.entry.operation.id)"))
                    }
                    last = (entry, place)
                case (.some, .may): break
                }
            }
        }
        return faults
    }
}
