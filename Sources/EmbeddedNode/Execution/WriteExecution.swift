import CQLProtocol
import CQLSyntax

/// Checks the conditions of one or several writes and applies all of them or none.
struct WriteExecution {
    let results: [MutationBuilder.Result]
    let isBatch: Bool
    var kind: BatchStatement.Kind?

    /// Cassandra's `batch_size_warn_threshold` in bytes.
    static let batchSizeWarning = 5120
    /// Cassandra's `unlogged_batch_across_partitions_warn_threshold`.
    static let batchPartitionsWarning = 10

    func run(at now: Int64) throws -> Outcome {
        let checks = self.results.compactMap(\.check)
        guard try checks.allSatisfy({ try $0.holds() }) else {
            return Outcome(message: .rows(try self.refusal(checks)))
        }
        for result in self.results {
            for mutation in result.mutations { mutation.apply(at: now / 1_000_000) }
        }
        guard let check = checks.first else { return Outcome(message: .void, warnings: self.warnings) }
        let metadata = ResultMetadata(columns: [self.applied(check)])
        return Outcome(message: .rows(try Rows(metadata: metadata, rows: [[Bytes([1]).buffer]])))
    }

    private func applied(_ check: ConditionCheck) -> ColumnSpec {
        self.spec(check.table, "[applied]", .native("boolean"))
    }

    private func spec(_ table: Table, _ name: String, _ type: ValueType) -> ColumnSpec {
        ColumnSpec(keyspace: table.keyspace, table: table.name, name: name, type: type.wire)
    }

    /// `[applied]` false, with the rows that stood against it.
    private func refusal(_ checks: [ConditionCheck]) throws -> Rows {
        let table = checks[0].table
        var rows: [ReadRow] = []
        var seen: Set<[Bytes]> = []
        for check in checks {
            guard let row = check.current, seen.insert(row.row?.clustering ?? []).inserted else { continue }
            rows.append(row)
        }
        let columns = rows.isEmpty ? [] : self.shown(checks, table)
        let specs = [self.applied(checks[0])] + columns.map { self.spec(table, $0.name, $0.type) }
        var result = try Rows(metadata: ResultMetadata(columns: specs))
        if rows.isEmpty { try result.append([Bytes([0]).buffer]) }
        for row in rows { try result.append([Bytes([0]).buffer] + columns.map { row.value($0)?.buffer }) }
        return result
    }

    private func shown(_ checks: [ConditionCheck], _ table: Table) -> [Column] {
        var names: Set<String> = []
        for check in checks {
            guard case .columns(let conditions) = check.clause.kind else { return table.columns }
            for condition in conditions { names.insert(condition.part.column) }
        }
        return table.columns.filter { (self.isBatch && $0.position >= 0) || names.contains($0.name) }
    }

    private var warnings: [String] {
        guard self.isBatch else { return [] }
        var warnings: [String] = []
        let mutations = self.results.flatMap(\.mutations)
        var tables: [String] = []
        for mutation in mutations {
            let name = "\(mutation.table.keyspace).\(mutation.table.name)"
            if !tables.contains(name) { tables.append(name) }
        }
        let list = tables.joined(separator: ", ")
        let size = mutations.reduce(0) { $0 + $1.byteCount }
        if size > Self.batchSizeWarning {
            warnings.append(
                "Batch for [\(list)] is of size \(size), exceeding specified threshold of "
                    + "\(Self.batchSizeWarning) by \(size - Self.batchSizeWarning)."
            )
        }
        let partitions = Set(mutations.map { [Bytes($0.table.name.utf8)] + $0.key }).count
        if self.kind == .unlogged, partitions > Self.batchPartitionsWarning {
            warnings.append(
                "Unlogged batch covering \(partitions) partitions detected against "
                    + "table\(tables.count > 1 ? "s" : "") [\(list)]. You should use a logged batch for "
                    + "atomicity, or asynchronous writes for performance."
            )
        }
        return warnings
    }
}
