import DualWriteCore
import DualWriter
import EmbeddedNode

/// Whether what the clusters hold is what their clients were told.
struct Verdict {
    let entries: [Ledger.Entry]
    private let lifeSecondsOff: Int64
    private var doubts: [DirtyPartition.Place: PerCluster<Set<DoubtReason>>] = [:]
    private var byPartition: [Place: [Ledger.Entry]] = [:]

    struct Place: Hashable {
        let table: SimulatedTable
        let partition: String
    }

    /// - Parameter stallSeconds: how long the machine has let clusters or clients wait, which lengthens a late copy's life.
    init(entries: [Ledger.Entry], dirty: [DirtyPartition], stallSeconds: Int64 = 0) {
        self.entries = entries
        self.lifeSecondsOff = ComparableCell.roundingSeconds + stallSeconds
        for partition in dirty {
            self.doubts[partition.place, default: PerCluster(both: [])][partition.cluster].insert(partition.reason)
        }
        var places: [SimulatedTable: Set<String>] = [:]
        for entry in entries {
            for change in entry.operation.changes {
                guard let partition = change.partition else { continue }
                places[change.table, default: []].insert(partition)
            }
        }
        for entry in entries {
            var touched: Set<Place> = []
            for change in entry.operation.changes {
                let partitions = change.partition.map { [$0] } ?? places[change.table] ?? []
                for partition in partitions { touched.insert(Place(table: change.table, partition: partition)) }
            }
            for place in touched { self.byPartition[place, default: []].append(entry) }
        }
    }

    /// Everything that is wrong.
    func all(_ contents: PerCluster<[SimulatedTable: [StoredCell]]>) -> [String] {
        Cluster.allCases.flatMap { self.missing(contents[$0], on: $0) } + self.differences(contents)
    }

    /// Why a partition may be as it is on a cluster, at least so bad.
    private func isInDoubt(_ place: Place, on cluster: Cluster, atLeast severity: DoubtReason.Severity) -> Bool {
        let table = place.table.rawValue
        let places = [
            DirtyPartition.Place(keyspace: "", table: "", key: nil),
            DirtyPartition.Place(keyspace: SimulatedTable.keyspace, table: table, key: nil),
            DirtyPartition.Place(keyspace: SimulatedTable.keyspace, table: table, key: Array(place.partition.utf8)),
        ]
        return places.contains { place in self.doubts[place]?[cluster].contains { $0.severity >= severity } ?? false }
    }

    private func isInDoubt(_ place: Place) -> Bool {
        Cluster.allCases.contains { self.isInDoubt(place, on: $0, atLeast: .surplus) }
    }

    // MARK: One cluster

    /// What a cluster lacks of what was acknowledged, or has of what was refused.
    func missing(_ contents: [SimulatedTable: [StoredCell]], on cluster: Cluster) -> [String] {
        var findings: [String] = []
        let partitions = Dictionary(grouping: self.byPartition.keys, by: \.table)
        for (table, places) in partitions {
            let stored = Dictionary(grouping: contents[table] ?? []) { String(decoding: $0.partition, as: UTF8.self) }
            for place in places {
                let cells = stored[place.partition] ?? []
                let entries = self.byPartition[place] ?? []
                switch table {
                case .plain, .stamped, .conditional, .cleared:
                    let universe: [SimulatedCell] =
                        table == .plain || table == .stamped
                        ? (0..<3).flatMap { row in
                            ["a", "b"].map {
                                SimulatedCell(table: table, partition: place.partition, row: row, column: $0)
                            }
                        } : [SimulatedCell(table: table, partition: place.partition, row: 0, column: "v")]
                    for cell in universe {
                        let history = CellHistory(cell, entries, on: cluster)
                        self.judge(history.judge(cell.value(in: cells)), place, cluster, "\(cell)", &findings)
                    }
                case .counters:
                    let sum = cells.first?.value.map { CounterDigits($0) }
                    for fault in (sum ?? CounterDigits([])).judge(entries, place.partition, on: cluster) {
                        self.judge(fault, place, cluster, "\(table.rawValue)[\(place.partition)]", &findings)
                    }
                case .lists:
                    for fault in StoredList(cells).judge(entries, on: cluster) {
                        self.judge(fault, place, cluster, "\(table.rawValue)[\(place.partition)]", &findings)
                    }
                }
            }
        }
        return findings
    }

    private func judge(
        _ fault: CellFault?,
        _ place: Place,
        _ cluster: Cluster,
        _ where: String,
        _ findings: inout [String]
    ) {
        switch fault {
        case nil: return
        case .lacks(let what):
            guard !self.isInDoubt(place, on: cluster, atLeast: .loss) else { return }
            findings.append("the \(cluster) lacks in \(`where`): \(what)")
        case .hasTooMuch(let what):
            guard !self.isInDoubt(place) else { return }
            findings.append("the \(cluster) has in \(`where`): \(what)")
        case .hasTwice(let what):
            findings.append("the \(cluster) has twice in \(`where`): \(what)")
        }
    }

    // MARK: Both

    /// Where the clusters are not the same, cell by cell, though all that was written was for both.
    private func differences(_ contents: PerCluster<[SimulatedTable: [StoredCell]]>) -> [String] {
        var findings: [String] = []
        let grouped = PerCluster(source: self.grouped(contents[.source]), target: self.grouped(contents[.target]))
        for (place, entries) in self.byPartition {
            guard entries.allSatisfy({ $0.isShared || $0.outcome == .refused || $0.outcome == .notApplied }),
                !self.isInDoubt(place)
            else { continue }
            let source = ComparableCell.all(grouped[.source][place] ?? [], place.table)
            let target = ComparableCell.all(grouped[.target][place] ?? [], place.table)
            guard !ComparableCell.areEqual(source, target, lifeSecondsOff: self.lifeSecondsOff) else { continue }
            findings.append(
                "\(place.table.rawValue)[\(place.partition)] differs: source \(source), target \(target)"
            )
        }
        return findings
    }

    private func grouped(_ contents: [SimulatedTable: [StoredCell]]) -> [Place: [StoredCell]] {
        var groups: [Place: [StoredCell]] = [:]
        for (table, cells) in contents {
            for cell in cells {
                let place = Place(table: table, partition: String(decoding: cell.partition, as: UTF8.self))
                groups[place, default: []].append(cell)
            }
        }
        return groups
    }
}
