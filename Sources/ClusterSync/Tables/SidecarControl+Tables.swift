import DualWriteCore
import DualWriter
import Operations

/// All that is known by table: what is owed and in doubt, live comparisons, filters, and what loader and reader report.
extension SidecarControl {
    func tables() async -> TablesDocument {
        TablesDocument(
            await self.proxy.statusWithTables(),
            doubt: self.proxy.dirtySummary().map { ($0.table.cql ?? "unknown", $0.reason.severity == .loss, $0.count) },
            filter: self.proxy.filter.filter,
            overrides: self.phaseState.modes.overrides,
            reports: self.reportsKept
        )
    }
}

extension TablesDocument {
    /// - Parameters:
    ///   - status: with the tables of what is owed.
    ///   - doubt: partitions in doubt by table, and whether they may lack an acknowledged write.
    init(
        _ status: DualWriterStatus,
        doubt: [(table: String, isLoss: Bool, count: Int)],
        filter: ShadowFilter,
        overrides: ModeOverrides = .none,
        reports: ReportsDocument
    ) {
        var tables: [String: Table] = [:]
        func with(_ name: String, _ body: (inout Table) -> Void) {
            body(&tables[name, default: Table(name, filter, overrides)])
        }
        for leg in status.legs {
            for (name, owed) in leg.tables {
                with(name) { table in
                    if leg.cluster == .source {
                        table.owedSource += owed.records
                    } else {
                        table.owedTarget += owed.records
                    }
                    table.oldestOwedMs = max(table.oldestOwedMs, owed.oldestMilliseconds)
                }
            }
        }
        for (name, isLoss, count) in doubt {
            with(name) { table in
                table.dirtyPartitions += count
                if isLoss { table.dirtyWithLoss += count }
            }
        }
        for (name, comparison) in status.counters.comparison.tables {
            with(name) { table in
                table.compared = comparison.reads.reduce(0) { $1.key.isVerdict ? $0 + $1.value : $0 }
                table.mismatches = comparison.reads[.mismatch] ?? 0
            }
        }
        for (name, share) in reports.loadedRatios { with(name) { $0.loadedRatio = share } }
        for reported in reports.comparison?.tables ?? [] {
            with(reported.table) { table in
                table.verdict = reported.verdict
                table.differences = reported.differences
            }
        }
        self.init(
            tables: Array(tables.values),
            owedComplete: status.legs.allSatisfy { $0.recordsLookedAt >= $0.shadowWritesQueued }
        )
    }
}

extension TablesDocument.Table {
    /// A table about which nothing is known but what was decided about it.
    fileprivate init(_ name: String, _ filter: ShadowFilter, _ overrides: ModeOverrides) {
        self.init(table: name, shadow: filter.word(for: name))
        guard let table = TableName(name) else { return }
        self.mode = overrides.stage(keyspace: table.keyspace, table: table.table)?.name
    }
}

extension ReportsDocument {
    /// The share of each table that loads have covered. Workers of one job tell of the same table: the newest report counts;
    /// of several jobs, the one that has covered most.
    fileprivate var loadedRatios: [String: Double] {
        var newest: [String: [String: (at: String, share: Double)]] = [:]
        for load in self.loads {
            for table in load.tables {
                let known = newest[table.table]?[load.job]
                guard (known?.at ?? "") <= load.at else { continue }
                newest[table.table, default: [:]][load.job] = (load.at, table.tokensCoveredRatio)
            }
        }
        return newest.compactMapValues { $0.values.map(\.share).max() }
    }
}

extension ShadowFilter {
    /// What becomes of writes to a table, as ``TablesDocument/Table/shadow`` says it.
    fileprivate func word(for table: String) -> String {
        if let name = TableName(table), !self.tables.wants(keyspace: name.keyspace, table: name.table) {
            return "filtered"
        }
        return self.tenants.isOpen ? "copied" : "tenants"
    }
}
