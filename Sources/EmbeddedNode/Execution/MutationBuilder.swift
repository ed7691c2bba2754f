import CQLProtocol
import CQLSyntax

/// Turns an INSERT, UPDATE or DELETE into mutations and, where it has an IF clause, what must be checked before.
struct MutationBuilder {
    let schema: Schema
    let keyspace: String?
    let bindings: Bindings
    /// Microseconds of writes that name no time of their own.
    let timestamp: Int64

    /// What a write comes to.
    struct Result {
        var mutations: [Mutation] = []
        var check: ConditionCheck?
    }

    private var seconds: Int64 { self.bindings.now / 1_000_000 }

    func build(_ statement: Statement, _ table: Table) throws -> Result {
        switch statement {
        case .insert(let insert): try self.insert(insert, table)
        case .update(let update): try self.update(update, table)
        case .delete(let delete): try self.delete(delete, table)
        default:
            throw NodeError.invalid(
                "Invalid statement in batch: only UPDATE, INSERT and DELETE statements are allowed."
            )
        }
    }

    // MARK: INSERT

    private func insert(_ insert: InsertStatement, _ table: Table) throws -> Result {
        guard !table.isCounter else {
            throw NodeError.invalid("INSERT statements are not allowed on counter tables, use UPDATE instead")
        }
        let values = try self.values(insert.source, table)
        let key = try self.key(table.partitionKey, values)
        let writer = try self.writer(insert.using, table, isConditional: insert.condition != nil)
        let written = values.keys.compactMap { table.column($0) }
        let onlyStatic =
            written.contains { $0.kind == .static }
            && written.allSatisfy { $0.kind != .clustering && $0.kind != .regular }
        let row = onlyStatic ? nil : try self.key(table.clustering, values)
        var mutation = Mutation(table: table, key: key)
        if let row { mutation.changes.append(.mark(row, writer.cell([]))) }
        for column in table.columns where column.kind == .static || column.kind == .regular {
            guard let value = values[column.name], value != .unset else { continue }
            writer.set(column, value.bytes, row: column.kind == .static ? nil : row, &mutation)
        }
        return Result(mutations: [mutation], check: self.check(insert.condition, table, key, row))
    }

    private func values(_ source: InsertStatement.Source, _ table: Table) throws -> [String: Value] {
        var values: [String: Value] = [:]
        switch source {
        case .values(let names, let terms):
            for (name, term) in zip(names, terms) {
                let column = try self.column(name, table)
                guard values[name] == nil else {
                    throw NodeError.invalid("The column names contains duplicates")
                }
                values[name] = try self.bindings.evaluate(term, as: column.type, for: name)
            }
        case .json(let term, let defaultUnset):
            let text = try self.bindings.required(term, as: .text, for: "[json]").string
            guard case .object(let members) = JSONValue(text) else {
                throw NodeError.invalid("Could not decode JSON string as a map: \(text)")
            }
            if !defaultUnset { for column in table.columns { values[column.name] = .null } }
            for member in members {
                let name = JSONText.folded(member.name)
                guard let column = table.column(name) else {
                    throw NodeError.invalid("JSON values map contains unrecognized column: \(name)")
                }
                values[name] = try JSONText.bytes(of: member.value, column.type, for: name).map { .bytes($0) } ?? .null
            }
        }
        return values
    }

    private func key(_ columns: [Column], _ values: [String: Value]) throws -> [Bytes] {
        try columns.map { column in
            guard let value = values[column.name] else {
                let kind = column.kind == .clustering ? "clustering" : "partition"
                throw NodeError.invalid("Some \(kind) key parts are missing: \(column.name)")
            }
            guard let bytes = value.bytes else {
                let what = value == .null ? "null" : "unset"
                throw NodeError.invalid("Invalid \(what) value in condition for column \(column.name)")
            }
            guard column.kind == .clustering || !bytes.isEmpty || columns.count > 1 else {
                throw NodeError.invalid("Key may not be empty")
            }
            return bytes
        }
    }

    private func column(_ name: String, _ table: Table) throws -> Column {
        guard let column = table.column(name) else {
            throw NodeError.invalid("Undefined column name \(name) in table \(table.keyspace).\(table.name)")
        }
        return column
    }

    private func check(_ clause: ConditionClause?, _ table: Table, _ key: [Bytes], _ row: [Bytes]?) -> ConditionCheck? {
        clause.map { ConditionCheck(table: table, clause: $0, key: key, clustering: row, bindings: self.bindings) }
    }

    // MARK: UPDATE

    private func update(_ update: UpdateStatement, _ table: Table) throws -> Result {
        let keys = try WriteKeys(update.relations, table, self.bindings)
        guard !keys.isRange else { throw NodeError.invalid("Range deletions are not supported for specific columns") }
        let columns = try update.assignments.map { try self.column($0.column, table) }
        if let key = columns.first(where: { $0.kind == .partitionKey || $0.kind == .clustering }) {
            throw NodeError.invalid("PRIMARY KEY part \(key.name) found in SET part")
        }
        let onlyStatic = columns.allSatisfy { $0.kind == .static }
        if !onlyStatic { try self.requireWholeRows(keys, table) }
        let writer = try self.writer(update.using, table, isConditional: update.condition != nil)
        var result = Result()
        for key in keys.partitions {
            var mutation = Mutation(table: table, key: key)
            for prefix in keys.prefixes {
                let row: [Bytes]? = onlyStatic && prefix.count < table.clustering.count ? nil : prefix
                for (assignment, column) in zip(update.assignments, columns) {
                    try self.assign(assignment, column, key, column.kind == .static ? nil : row, writer, &mutation)
                }
            }
            result.mutations.append(mutation)
        }
        if update.condition != nil {
            try self.requireOneRow(keys)
            let prefix = keys.prefixes[0]
            let row = onlyStatic && prefix.count < table.clustering.count ? nil : prefix
            result.check = self.check(update.condition, table, keys.partitions[0], row)
        }
        return result
    }

    private func requireWholeRows(_ keys: WriteKeys, _ table: Table) throws {
        let given = keys.prefixes.first?.count ?? 0
        guard given == table.clustering.count else {
            let missing = table.clustering[given...].map(\.name).joined(separator: ", ")
            throw NodeError.invalid("Some clustering keys are missing: \(missing)")
        }
    }

    private func requireOneRow(_ keys: WriteKeys) throws {
        guard keys.partitions.count == 1, keys.prefixes.count == 1 else {
            throw NodeError.invalid("IN on the partition key is not supported with conditional updates")
        }
    }

    private func assign(
        _ assignment: Assignment,
        _ column: Column,
        _ key: [Bytes],
        _ row: [Bytes]?,
        _ writer: CellWriter,
        _ mutation: inout Mutation
    ) throws {
        let name = column.name
        if column.type.isCounter { return try self.count(assignment, column, row, &mutation) }
        func value(_ term: Term, _ type: ValueType) throws -> Value {
            try self.bindings.evaluate(term, as: type, for: name)
        }
        switch (assignment, column.type) {
        case (.assign(.column, let term), _):
            let value = try value(term, column.type)
            if value != .unset { writer.set(column, value.bytes, row: row, &mutation) }
        case (.assign(.element(_, let index), let term), .list(let element)):
            let position = try self.bindings.required(index, as: .int, for: "idx(\(name))").int64
            let path = try self.listPath(position, column, key, row, mutation.table)
            guard case let new = try value(term, element), new != .unset else { return }
            mutation.changes.append(.write(row: row, column: name, path: path, writer.cell(new.bytes)))
        case (.assign(.element(_, let entry), let term), .map(let keyType, let valueType)):
            let path = try self.bindings.required(entry, as: keyType, for: "key(\(name))")
            guard case let new = try value(term, valueType), new != .unset else { return }
            mutation.changes.append(.write(row: row, column: name, path: path, writer.cell(new.bytes)))
        case (.assign(.field(_, let field), let term), .udt(_, _, let fields)):
            guard let index = fields.firstIndex(where: { $0.name == field }) else {
                throw NodeError.invalid("UDT column \(name) does not have a field named \(field)")
            }
            guard case let new = try value(term, fields[index].type), new != .unset else { return }
            let path = UInt16(truncatingIfNeeded: index).bytes
            mutation.changes.append(.write(row: row, column: name, path: path, writer.cell(new.bytes)))
        case (.add(_, let term), .list), (.add(_, let term), .set), (.add(_, let term), .map):
            guard let bytes = try value(term, column.type).bytes else { return }
            writer.add(bytes, column, row: row, &mutation)
        case (.prepend(_, let term), .list):
            guard let bytes = try value(term, column.type).bytes else { return }
            writer.prepend(bytes, column, row: row, &mutation)
        case (.subtract(_, let term), .list):
            guard let bytes = try value(term, column.type).bytes else { return }
            let removed = (bytes.parts(from: 4) ?? []).compactMap { $0 }
            for (path, cell) in self.elements(column, key, row, mutation.table)
            where cell.value.map({ removed.contains($0) }) ?? false {
                mutation.changes.append(.write(row: row, column: name, path: path, writer.cell(nil)))
            }
        case (.subtract(_, let term), .set): try remove(term, column.type)
        case (.subtract(_, let term), .map(let keyType, _)): try remove(term, .set(keyType))
        default: throw NodeError.invalid("Invalid operation for non-collection or frozen column \(name)")
        }
        func remove(_ term: Term, _ type: ValueType) throws {
            for path in try value(term, type).bytes?.parts(from: 4) ?? [] {
                mutation.changes.append(.write(row: row, column: name, path: path ?? [], writer.cell(nil)))
            }
        }
    }

    private func count(
        _ assignment: Assignment,
        _ column: Column,
        _ row: [Bytes]?,
        _ mutation: inout Mutation
    ) throws {
        let (term, sign): (Term, Int64)
        switch assignment {
        case .add(_, let added), .prepend(_, let added): (term, sign) = (added, 1)
        case .subtract(_, let removed): (term, sign) = (removed, -1)
        case .assign:
            throw NodeError.invalid(
                "Cannot set the value of counter column \(column.name) (counters can only be "
                    + "incremented/decremented, not set)"
            )
        }
        switch try self.bindings.evaluate(term, as: .native("counter"), for: column.name) {
        case .null: throw NodeError.invalid("Invalid null value for counter increment")
        case .unset: return
        case .bytes(let bytes):
            let delta = bytes.int64 &* sign
            mutation.changes.append(.count(row: row, column: column.name, by: delta, at: self.timestamp))
        }
    }

    private func elements(_ column: Column, _ key: [Bytes], _ row: [Bytes]?, _ table: Table) -> [(
        path: Bytes, cell: Cell
    )] {
        guard let partition = table.existingPartition(key) else { return [] }
        let stored = row.map { partition.row($0, in: table) } ?? partition.staticRow
        return stored?.columns[column.name]?.elements(of: column.type, at: self.seconds) ?? []
    }

    private func listPath(_ index: Int64, _ column: Column, _ key: [Bytes], _ row: [Bytes]?, _ table: Table) throws
        -> Bytes
    {
        let elements = self.elements(column, key, row, table)
        guard !elements.isEmpty else { throw NodeError.invalid("Attempted to set an element on a list which is null") }
        guard index >= 0, index < elements.count else {
            throw NodeError.invalid("List index \(index) out of bound, list has size \(elements.count)")
        }
        return elements[Int(index)].path
    }

    // MARK: DELETE

    private func delete(_ delete: DeleteStatement, _ table: Table) throws -> Result {
        let keys = try WriteKeys(delete.relations, table, self.bindings)
        let writer = try self.writer(delete.using, table, isConditional: delete.condition != nil)
        let columns = try delete.parts.map { try self.column($0.column, table) }
        if let key = columns.first(where: { $0.kind == .partitionKey || $0.kind == .clustering }) {
            throw NodeError.invalid("Invalid identifier \(key.name) for deletion (should not be a PRIMARY KEY part)")
        }
        let needsRow = columns.contains { $0.kind == .regular }
        if needsRow {
            guard !keys.isRange else {
                throw NodeError.invalid("Range deletions are not supported for specific columns")
            }
            try self.requireWholeRows(keys, table)
        }
        var result = Result()
        for key in keys.partitions {
            var mutation = Mutation(table: table, key: key)
            for prefix in keys.prefixes {
                if delete.parts.isEmpty { self.deleteRows(prefix, keys, writer.timestamp, &mutation) }
                for (part, column) in zip(delete.parts, columns) {
                    try self.delete(part, column, key, column.kind == .static ? nil : prefix, writer, &mutation)
                }
            }
            result.mutations.append(mutation)
        }
        if delete.condition != nil {
            try self.requireOneRow(keys)
            let prefix = keys.prefixes[0]
            if !columns.isEmpty && !needsRow && prefix.count < table.clustering.count {
                result.check = self.check(delete.condition, table, keys.partitions[0], nil)
            } else {
                guard prefix.count == table.clustering.count else {
                    throw NodeError.invalid(
                        "DELETE statements must restrict all PRIMARY KEY columns with equality relations in "
                            + "order to use IF conditions, but column '\(table.clustering[prefix.count].name)' is "
                            + "not restricted"
                    )
                }
                result.check = self.check(delete.condition, table, keys.partitions[0], prefix)
            }
        }
        return result
    }

    private func deleteRows(_ prefix: [Bytes], _ keys: WriteKeys, _ timestamp: Int64, _ mutation: inout Mutation) {
        if !keys.isRange, prefix.isEmpty { return mutation.changes.append(.deletePartition(at: timestamp)) }
        if !keys.isRange, prefix.count == mutation.table.clustering.count {
            return mutation.changes.append(.deleteRow(prefix, at: timestamp))
        }
        let lower = keys.lower.map { ClusteringBound(prefix: prefix + $0.values, isInclusive: $0.isInclusive) }
        let upper = keys.upper.map { ClusteringBound(prefix: prefix + $0.values, isInclusive: $0.isInclusive) }
        let whole = ClusteringBound(prefix: prefix, isInclusive: true)
        mutation.changes.append(
            .deleteRange(RangeTombstone(lower: lower ?? whole, upper: upper ?? whole, timestamp: timestamp))
        )
    }

    private func delete(
        _ part: ColumnPart,
        _ column: Column,
        _ key: [Bytes],
        _ row: [Bytes]?,
        _ writer: CellWriter,
        _ mutation: inout Mutation
    ) throws {
        let name = column.name
        let path: Bytes
        switch (part, column.type) {
        case (.column, _): return writer.set(column, nil, row: row, &mutation)
        case (.element(_, let index), .list):
            let position = try self.bindings.required(index, as: .int, for: "idx(\(name))").int64
            path = try self.listPath(position, column, key, row, mutation.table)
        case (.element(_, let entry), .map(let type, _)), (.element(_, let entry), .set(let type)):
            path = try self.bindings.required(entry, as: type, for: "key(\(name))")
        case (.field(_, let field), .udt(_, _, let fields)):
            guard let index = fields.firstIndex(where: { $0.name == field }) else {
                throw NodeError.invalid("UDT column \(name) does not have a field named \(field)")
            }
            path = UInt16(truncatingIfNeeded: index).bytes
        default: throw NodeError.invalid("Invalid deletion operation for non-collection column \(name)")
        }
        mutation.changes.append(.write(row: row, column: name, path: path, writer.cell(nil)))
    }

    // MARK: USING

    private func writer(_ using: UsingClause?, _ table: Table, isConditional: Bool) throws -> CellWriter {
        var timestamp = isConditional ? self.bindings.now : self.timestamp
        if let term = using?.timestamp {
            guard !isConditional else {
                throw NodeError.invalid("Cannot provide custom timestamp for conditional updates")
            }
            guard !table.isCounter else {
                throw NodeError.invalid("Cannot provide custom timestamp for counter updates")
            }
            let value = try self.bindings.evaluate(term, as: .bigint, for: "[timestamp]")
            guard value != .null else { throw NodeError.invalid("Invalid null value of timestamp") }
            if let bytes = value.bytes { timestamp = bytes.int64 }
        }
        var life = table.defaultTimeToLive
        if let term = using?.timeToLive {
            guard !table.isCounter else { throw NodeError.invalid("Cannot provide custom TTL for counter updates") }
            switch try self.bindings.evaluate(term, as: .int, for: "[ttl]") {
            case .bytes(let bytes): life = Int32(truncatingIfNeeded: bytes.int64)
            case .null: life = 0
            case .unset: break
            }
        }
        guard life >= 0 else { throw NodeError.invalid("A TTL must be greater or equal to 0, but was \(life)") }
        guard life <= CellWriter.timeToLiveMax else {
            throw NodeError.invalid("ttl is too large. requested (\(life)) maximum (\(CellWriter.timeToLiveMax))")
        }
        return CellWriter(timestamp: timestamp, timeToLive: life, seconds: self.seconds, now: self.bindings.now)
    }
}
