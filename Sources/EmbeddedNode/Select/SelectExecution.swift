import CQLProtocol
import CQLSyntax
import NIOCore

/// Runs one SELECT.
struct SelectExecution {
    let select: SelectStatement
    let table: Table
    let bindings: Bindings
    /// The statement's bytes: results without alias are named by their text.
    let text: [UInt8]

    private var evaluator: SelectorEvaluator { SelectorEvaluator(table: self.table, bindings: self.bindings) }

    private var items: [SelectItem]? {
        if case .items(let items) = self.select.projection { return items }
        return nil
    }

    /// The columns of the result.
    func columns() throws -> [ColumnSpec] {
        if self.select.isJSON { return [self.spec("[json]", .text)] }
        guard let items else { return self.table.columns.map { self.spec($0.name, $0.type) } }
        return try items.map { item in
            try self.evaluator.check(item.selector)
            return self.spec(self.name(item), try self.evaluator.type(of: item.selector))
        }
    }

    private func name(_ item: SelectItem) -> String {
        if let alias = item.alias { return alias }
        let range = item.range.start..<min(item.range.end, self.text.count)
        return self.evaluator.name(of: item.selector, text: String(decoding: self.text[range], as: UTF8.self))
    }

    private func spec(_ name: String, _ type: ValueType) -> ColumnSpec {
        ColumnSpec(keyspace: self.table.keyspace, table: self.table.name, name: name, type: type.wire)
    }

    private var isAggregate: Bool {
        !self.select.groupBy.isEmpty || (self.items ?? []).contains { self.evaluator.isAggregate($0.selector) }
    }

    func run(_ parameters: QueryParameters) throws -> Outcome {
        let restrictions = try Restrictions(self.select, self.table, self.bindings)
        try self.checkDistinct()
        var scan = RowScan(table: self.table, restrictions: restrictions, seconds: self.bindings.now / 1_000_000)
        scan.isReversed = try self.isReversed(restrictions)
        scan.isDistinct = self.select.isDistinct
        scan.perPartitionLimit = try self.limit(self.select.perPartitionLimit, "[per_partition_limit]")
        let limit = try self.limit(self.select.limit, "[limit]")
        let pageSize = parameters.pageSize.flatMap { $0 > 0 ? Int64($0) : nil }
        let sortsAll = restrictions.hasSeveralKeys && !self.select.orderBy.isEmpty
        if sortsAll, pageSize != nil {
            throw NodeError.invalid(
                "Cannot page queries with both ORDER BY and a IN restriction on the partition key; "
                    + "you must either remove the ORDER BY or the IN and sort client side, or disable "
                    + "paging for this query"
            )
        }
        if !self.isAggregate, !sortsAll {
            scan.limit = limit
            scan.pageSize = pageSize
        }
        try scan.run(from: parameters.pagingState.map { try PagingState($0) })
        var groups = self.isAggregate ? try self.groups(scan.rows) : scan.rows.map { [$0] }
        if sortsAll { groups = self.sorted(groups, limit, scan.isReversed) }
        if self.isAggregate, let limit { groups = Array(groups.prefix(Int(limit))) }
        var rows = try Rows(metadata: self.metadata(parameters, scan.next))
        for group in groups { try rows.append(self.cells(group).map { $0?.buffer }) }
        var outcome = Outcome(message: .rows(rows))
        if self.isAggregate, self.select.groupBy.isEmpty, restrictions.keys == nil,
            !self.table.keyspace.hasPrefix("system")
        {
            outcome.warnings = ["Aggregation query used without partition key"]
        }
        return outcome
    }

    private func metadata(_ parameters: QueryParameters, _ next: PagingState?) throws -> ResultMetadata {
        let columns = try self.columns()
        if parameters.skipMetadata {
            return ResultMetadata(skippedColumnCount: columns.count, pagingState: next?.encoded)
        }
        return ResultMetadata(columns: columns, pagingState: next?.encoded)
    }

    private func limit(_ term: Term?, _ name: String) throws -> Int64? {
        guard let term else { return nil }
        switch try self.bindings.evaluate(term, as: .int, for: name) {
        case .unset: return nil
        case .null: throw NodeError.invalid("Invalid null value of limit")
        case .bytes(let bytes):
            guard bytes.int64 > 0 else {
                throw NodeError.invalid(
                    "\(name == "[limit]" ? "LIMIT" : "PER PARTITION LIMIT") must be strictly positive"
                )
            }
            return bytes.int64
        }
    }

    private func checkDistinct() throws {
        guard self.select.isDistinct, let items else { return }
        for item in items {
            guard case .column(let name) = item.selector, let column = self.table.column(name) else { continue }
            guard column.kind == .partitionKey || column.kind == .static else {
                throw NodeError.invalid(
                    "SELECT DISTINCT queries must only request partition key columns and/or static "
                        + "columns (not \(name))"
                )
            }
        }
    }

    private func isReversed(_ restrictions: Restrictions) throws -> Bool {
        guard let first = self.select.orderBy.first else { return false }
        guard restrictions.keys != nil else {
            throw NodeError.invalid(
                "ORDER BY is only supported when the partition key is restricted by an EQ or an IN."
            )
        }
        var isReversed: Bool?
        for (index, order) in self.select.orderBy.enumerated() {
            guard let column = self.table.column(order.column), column.kind == .clustering else {
                throw NodeError.invalid(
                    "Order by is currently only supported on the clustered columns of the PRIMARY KEY, "
                        + "got \(order.column)"
                )
            }
            guard column.position == index else {
                throw NodeError.invalid(
                    "Order by currently only supports the ordering of columns following their declared "
                        + "order in the PRIMARY KEY"
                )
            }
            let flips = order.isDescending != column.isDescending
            guard isReversed == nil || isReversed == flips else {
                throw NodeError.invalid("Unsupported order by relation")
            }
            isReversed = flips
        }
        return first.isDescending != self.table.column(first.column)?.isDescending
    }

    private func sorted(_ groups: [[ReadRow]], _ limit: Int64?, _ isReversed: Bool) -> [[ReadRow]] {
        let sorted = groups.sorted { left, right in
            let order = self.table.compare(left[0].row?.clustering ?? [], right[0].row?.clustering ?? [])
            return isReversed ? order > 0 : order < 0
        }
        return limit.map { Array(sorted.prefix(Int($0))) } ?? sorted
    }

    private func groups(_ rows: [ReadRow]) throws -> [[ReadRow]] {
        guard !self.select.groupBy.isEmpty else { return [rows] }
        let columns = try self.select.groupBy.map { selector -> Column in
            guard case .column(let name) = selector, let column = self.table.column(name), column.position >= 0 else {
                throw NodeError.invalid("Group by is currently only supported on the columns of the PRIMARY KEY")
            }
            return column
        }
        var groups: [[ReadRow]] = []
        var last: [Bytes?]?
        for row in rows {
            let key = columns.map { row.value($0) }
            if last == key { groups[groups.count - 1].append(row) } else { groups.append([row]) }
            last = key
        }
        return groups
    }

    private func cells(_ group: [ReadRow]) throws -> [Bytes?] {
        let values: [Bytes?]
        if let items {
            values = try items.map { try self.evaluator.value(of: $0.selector, over: group) }
        } else {
            values = self.table.columns.map { column in group.first?.value(column) }
        }
        guard self.select.isJSON else { return values }
        let names = self.items.map { $0.map { self.name($0) } } ?? self.table.columns.map(\.name)
        let types =
            try self.items.map { try $0.map { try self.evaluator.type(of: $0.selector) } }
            ?? self.table.columns.map(\.type)
        let members = zip(names, zip(types, values)).map { name, typed in
            JSONValue.quoted(JSONText.columnName(name)) + ": " + JSONText.text(of: typed.1, typed.0)
        }
        return [Bytes("{\(members.joined(separator: ", "))}".utf8)]
    }
}
