import CQLProtocol
import CQLSyntax

/// Executes one statement against the schema. Not thread-safe: the caller guards it.
struct Executor {
    let schema: Schema
    let keyspace: String?
    let bindings: Bindings
    let timestamp: Int64

    private var seconds: Int64 { self.bindings.now / 1_000_000 }

    func execute(_ statement: Statement) throws -> ResultMessage {
        switch statement {
        case .use(let name):
            _ = try self.schema.keyspace(name)
            return .setKeyspace(name)
        case .insert(let insert): try self.insert(insert)
        case .update(let update): try self.update(update)
        case .delete(let delete): try self.delete(delete)
        case .truncate(let name): try self.schema.table(name, self.keyspace).truncate()
        case .select: throw NodeError.unsupported("SELECT")
        case .batch: throw NodeError.unsupported("a BATCH statement")
        default:
            guard let change = try self.schema.execute(statement, self.keyspace) else { return .void }
            return .schemaChange(change)
        }
        return .void
    }

    private func writtenAt(_ using: UsingClause?) throws -> Int64 {
        guard let term = using?.timestamp else { return self.timestamp }
        return try self.bindings.required(term, as: .bigint, for: "[timestamp]").int64
    }

    private func timeToLive(_ using: UsingClause?, _ table: Table) throws -> Int32 {
        guard let term = using?.timeToLive,
            case .bytes(let bytes) = try self.bindings.evaluate(term, as: .int, for: "[ttl]")
        else { return table.defaultTimeToLive }
        return Int32(truncatingIfNeeded: bytes.int64)
    }

    private func cell(_ value: Bytes?, _ timestamp: Int64, _ life: Int32) -> Cell {
        guard value != nil, life > 0 else { return Cell(timestamp: timestamp, value: value) }
        return Cell(timestamp: timestamp, value: value, timeToLive: life, expiresAt: self.seconds + Int64(life))
    }

    private func set(_ column: Column, _ value: Value, in row: inout StoredRow, _ at: Int64, _ life: Int32) {
        guard value != .unset else { return }
        guard column.type.isComplex else {
            return row.write(self.cell(value.bytes, at, life), column: column.name, path: [])
        }
        row.deleteColumn(column.name, at: at - 1)
        guard let bytes = value.bytes else { return row.deleteColumn(column.name, at: at) }
        for (path, element) in Elements.split(bytes, column.type, now: self.bindings.now) {
            row.write(self.cell(element, at, life), column: column.name, path: path)
        }
    }

    private func insert(_ insert: InsertStatement) throws {
        guard insert.condition == nil else { throw NodeError.unsupported("INSERT with a condition") }
        guard case .values(let names, let terms) = insert.source else { throw NodeError.unsupported("INSERT JSON") }
        let table = try self.schema.table(insert.table, self.keyspace)
        guard !table.isCounter else {
            throw NodeError.invalid("INSERT statements are not allowed on counter tables, use UPDATE instead")
        }
        var values: [String: Value] = [:]
        for (name, term) in zip(names, terms) {
            guard let column = table.column(name) else {
                throw NodeError.invalid("Undefined column name \(name) in table \(table.keyspace).\(table.name)")
            }
            values[name] = try self.bindings.evaluate(term, as: column.type, for: name)
        }
        let key = try self.key(table.partitionKey, values)
        let at = try self.writtenAt(insert.using)
        let life = try self.timeToLive(insert.using, table)
        let onlyStatic = names.allSatisfy { [.partitionKey, .static].contains(table.column($0)?.kind) }
        let hasStatic = names.contains { table.column($0)?.kind == .static }
        let clustering = onlyStatic && hasStatic ? nil : try self.key(table.clustering, values)
        self.write(values, to: table, key, clustering, at, life, marks: true)
    }

    private func write(
        _ values: [String: Value],
        to table: Table,
        _ key: [Bytes],
        _ clustering: [Bytes]?,
        _ at: Int64,
        _ life: Int32,
        marks: Bool
    ) {
        let partition = table.partition(key)
        for (name, value) in values {
            guard let column = table.column(name), column.kind == .static else { continue }
            partition.updateStatic { self.set(column, value, in: &$0, at, life) }
        }
        guard let clustering else { return }
        partition.update(clustering, in: table) { row in
            if marks { row.mark(self.cell([], at, life)) }
            for (name, value) in values {
                guard let column = table.column(name), column.kind == .regular else { continue }
                self.set(column, value, in: &row, at, life)
            }
        }
    }

    private func key(_ columns: [Column], _ values: [String: Value]) throws -> [Bytes] {
        try columns.map { column in
            guard let value = values[column.name] else {
                throw NodeError.invalid(
                    "Some \(column.kind == .clustering ? "clustering" : "partition") key parts are missing: \(column.name)"
                )
            }
            guard let bytes = value.bytes else {
                throw NodeError.invalid("Invalid null value in condition for column \(column.name)")
            }
            return bytes
        }
    }

    private func equalities(_ relations: [Relation], _ table: Table) throws -> [String: Value] {
        var values: [String: Value] = [:]
        for relation in relations {
            guard case .comparison(let name, .equal, let term) = relation else {
                throw NodeError.unsupported("a restriction other than equality in a write")
            }
            guard let column = table.column(name) else {
                throw NodeError.invalid("Undefined column name \(name) in table \(table.keyspace).\(table.name)")
            }
            values[name] = .bytes(try self.bindings.required(term, as: column.type, for: name))
        }
        return values
    }

    private func update(_ update: UpdateStatement) throws {
        guard update.condition == nil else { throw NodeError.unsupported("UPDATE with a condition") }
        let table = try self.schema.table(update.table, self.keyspace)
        let restricted = try self.equalities(update.relations, table)
        let key = try self.key(table.partitionKey, restricted)
        var values: [String: Value] = [:]
        for assignment in update.assignments {
            guard case .assign(.column(let name), let term) = assignment else {
                throw NodeError.unsupported("an assignment to a part of \(assignment.column)")
            }
            guard let column = table.column(name) else {
                throw NodeError.invalid("Undefined column name \(name) in table \(table.keyspace).\(table.name)")
            }
            values[name] = try self.bindings.evaluate(term, as: column.type, for: name)
        }
        let onlyStatic = values.keys.allSatisfy { table.column($0)?.kind == .static }
        let clustering = onlyStatic ? nil : try self.key(table.clustering, restricted)
        let at = try self.writtenAt(update.using)
        self.write(values, to: table, key, clustering, at, try self.timeToLive(update.using, table), marks: false)
    }

    private func delete(_ delete: DeleteStatement) throws {
        guard delete.condition == nil else { throw NodeError.unsupported("DELETE with a condition") }
        let table = try self.schema.table(delete.table, self.keyspace)
        let values = try self.equalities(delete.relations, table)
        let partition = table.partition(try self.key(table.partitionKey, values))
        let at = try self.writtenAt(delete.using)
        let prefix = try self.key(table.clustering.filter { values[$0.name] != nil }, values)
        for part in delete.parts {
            guard case .column(let name) = part else { throw NodeError.unsupported("DELETE of an element") }
            guard let column = table.column(name) else {
                throw NodeError.invalid("Undefined column name \(name) in table \(table.keyspace).\(table.name)")
            }
            if column.kind == .static {
                partition.updateStatic { self.set(column, .null, in: &$0, at, 0) }
            } else {
                partition.update(try self.key(table.clustering, values), in: table) {
                    self.set(column, .null, in: &$0, at, 0)
                }
            }
        }
        guard delete.parts.isEmpty else { return }
        if prefix.isEmpty { return partition.delete(at: at) }
        if prefix.count == table.clustering.count { return partition.update(prefix, in: table) { $0.delete(at: at) } }
        let bound = ClusteringBound(prefix: prefix, isInclusive: true)
        partition.delete(RangeTombstone(lower: bound, upper: bound, timestamp: at), in: table)
    }
}
