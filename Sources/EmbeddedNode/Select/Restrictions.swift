import CQLProtocol
import CQLSyntax

/// The WHERE clause of a SELECT with its values.
struct Restrictions {
    /// The partitions that are asked for, in the order of their keys; `nil` for all.
    private(set) var keys: [[Bytes]]?
    /// Bounds of the token.
    private(set) var tokens: [(ComparisonOperator, Int64)] = []
    /// What a row must fulfil beside that.
    private(set) var predicates: [Predicate] = []
    /// The one row that is asked for in each partition.
    private(set) var row: [Bytes]?
    /// Whether anything but the partition key is asked of a row.
    private(set) var restrictsRows = false
    /// Whether `IN` names several partitions.
    private(set) var hasSeveralKeys = false

    init(_ select: SelectStatement, _ table: Table, _ bindings: Bindings) throws {
        var columnValues: [String: [Bytes]] = [:]
        for relation in select.relations {
            switch relation {
            case .comparison(let name, .equal, let term):
                let column = try Self.column(name, table)
                let value = try bindings.required(term, as: column.type, for: name)
                if column.position >= 0 {
                    guard columnValues[name] == nil else {
                        throw NodeError.invalid(
                            "\(name) cannot be restricted by more than one relation if it includes an Equal"
                        )
                    }
                    columnValues[name] = [value]
                }
                if column.kind != .partitionKey { self.predicates.append(.compare(column, .equal, value)) }
            case .isIn(let name, let list):
                let column = try Self.column(name, table)
                let values = try bindings.values(list, as: column.type, for: name)
                if column.position >= 0 { columnValues[name] = values.sorted { column.type.compare($0, $1) < 0 } }
                if column.kind != .partitionKey { self.predicates.append(.isIn(column, values)) }
            case .token(let names, let sign, let term):
                try self.checkToken(names, sign, table)
                self.tokens.append((sign, try bindings.token(term, table)))
            default: self.predicates.append(try Self.predicate(relation, table, bindings))
            }
        }
        self.restrictsRows = self.predicates.contains {
            $0.columns.contains { $0.kind != .partitionKey && $0.kind != .static }
        }
        try self.choose(columnValues, select, table)
    }

    private static func column(_ name: String, _ table: Table) throws -> Column {
        guard let column = table.column(name) else {
            throw NodeError.invalid("Undefined column name \(name) in table \(table.keyspace).\(table.name)")
        }
        return column
    }

    private static func predicate(_ relation: Relation, _ table: Table, _ bindings: Bindings) throws -> Predicate {
        switch relation {
        case .comparison(let name, let sign, let term):
            let column = try self.column(name, table)
            let type: ValueType
            switch (sign, column.type.thawed) {
            case (.contains, .list(let element)), (.contains, .set(let element)), (.contains, .map(_, let element)):
                type = element
            case (.containsKey, .map(let key, _)): type = key
            case (.contains, _), (.containsKey, _):
                throw NodeError.invalid("Cannot use CONTAINS on non-collection column \(name)")
            case (.like, _): throw NodeError.unsupported("LIKE")
            case (.notEqual, _): throw NodeError.invalid("Unsupported \"!=\" relation: \(name) != ?")
            default: type = column.type
            }
            return .compare(column, sign, try bindings.required(term, as: type, for: name))
        case .element(let name, let key, let sign, let term):
            let column = try self.column(name, table)
            guard case .map(let keyType, let valueType) = column.type.thawed else {
                throw NodeError.invalid("Column \(name) cannot be used as a map")
            }
            let key = try bindings.required(key, as: keyType, for: "key(\(name))")
            return .entry(column, key: key, sign, try bindings.required(term, as: valueType, for: "value(\(name))"))
        case .tuple(let names, let sign, let term):
            let columns = try names.map { try self.column($0, table) }
            return .tuple(columns, sign, try bindings.tuple(term, columns))
        case .tupleIn(let names, let values):
            let columns = try names.map { try self.column($0, table) }
            let type = ValueType.tuple(columns.map(\.type))
            let wanted = try bindings.values(values, as: type, for: "(\(names.joined(separator: ",")))")
            return .tupleIn(columns, wanted.map { ($0.parts(from: 0) ?? []).compactMap { $0 } })
        case .isIn, .token: throw NodeError.unsupported("this restriction")
        case .isNotNull(let name): throw NodeError.invalid("Unsupported restriction: \(name) IS NOT NULL")
        case .customIndex: throw NodeError.unsupported("a custom index")
        }
    }

    /// Refuses what Cassandra's `TokenRelation` and `TokenRestriction` refuse.
    private func checkToken(_ names: [String], _ sign: ComparisonOperator, _ table: Table) throws {
        let key = table.partitionKey.map(\.name)
        guard Set(names).isSuperset(of: key) else {
            throw NodeError.invalid(
                "The token() function must be applied to all partition key components or none of them"
            )
        }
        guard Set(names).count == names.count else {
            throw NodeError.invalid("The token() function contains duplicate partition key components")
        }
        guard names.count == key.count else {
            throw NodeError.invalid("The token() function must contains only partition key components")
        }
        let listed = key.joined(separator: ", ")
        guard names == key else {
            throw NodeError.invalid("The token function arguments must be in the partition key order: \(listed)")
        }
        let lower: [ComparisonOperator] = [.greater, .greaterOrEqual]
        let upper: [ComparisonOperator] = [.less, .lessOrEqual]
        for (other, _) in self.tokens {
            if other == .equal {
                throw NodeError.invalid(
                    "\(listed) cannot be restricted by more than one relation if it includes an Equal"
                )
            }
            if sign == .equal {
                throw NodeError.invalid(
                    "Columns \"\(listed)\" cannot be restricted by both an equality and an inequality relation"
                )
            }
            for (bounds, what) in [(lower, "start"), (upper, "end")]
            where bounds.contains(sign) && bounds.contains(other) {
                throw NodeError.invalid("More than one restriction was found for the \(what) bound on \(listed)")
            }
        }
    }

    /// Settles which partitions are read, and refuses what Cassandra refuses.
    private mutating func choose(_ values: [String: [Bytes]], _ select: SelectStatement, _ table: Table) throws {
        let given = table.partitionKey.filter { values[$0.name] != nil }
        let slicedKeys = self.predicates.contains { $0.columns.contains { $0.kind == .partitionKey } }
        if given.count == table.partitionKey.count {
            var keys: [[Bytes]] = [[]]
            for column in table.partitionKey {
                keys = keys.flatMap { key in (values[column.name] ?? []).map { key + [$0] } }
            }
            self.keys = keys
            self.hasSeveralKeys = keys.count != 1
        } else {
            for column in given { self.predicates.append(.isIn(column, values[column.name] ?? [])) }
        }
        let whole = table.clustering.compactMap { values[$0.name]?.count == 1 ? values[$0.name]?.first : nil }
        if !table.clustering.isEmpty, whole.count == table.clustering.count { self.row = whole }
        guard !select.allowFiltering else { return }
        let isIndexed = self.predicates.contains { predicate in
            predicate.columns.contains { column in table.indexes.contains { $0.serves(column) } }
        }
        if isIndexed { return }
        let filtering = NodeError.invalid(
            "Cannot execute this query as it might involve data filtering and thus may have "
                + "unpredictable performance. If you want to execute this query despite the performance "
                + "unpredictability, use ALLOW FILTERING"
        )
        if slicedKeys {
            throw NodeError.invalid(
                "Only EQ and IN relation are supported on the partition key (unless you use the token() function)"
            )
        }
        if self.keys == nil, !given.isEmpty || self.restrictsRows { throw filtering }
        if self.predicates.contains(where: { $0.columns.contains { $0.kind == .regular || $0.kind == .static } }) {
            throw filtering
        }
        try self.checkClustering(table)
    }

    private func checkClustering(_ table: Table) throws {
        var restricted: Set<String> = []
        var sliced: Column?
        for predicate in self.predicates {
            for column in predicate.columns where column.kind == .clustering { restricted.insert(column.name) }
            if case .compare(let column, let sign, _) = predicate, sign != .equal, column.kind == .clustering {
                if sliced == nil || column.position < sliced?.position ?? 0 { sliced = column }
            }
        }
        var missing: Column?
        for column in table.clustering {
            guard restricted.contains(column.name) else {
                missing = missing ?? column
                continue
            }
            if let missing {
                throw NodeError.invalid(
                    "PRIMARY KEY column \"\(column.name)\" cannot be restricted as preceding column "
                        + "\"\(missing.name)\" is not restricted"
                )
            }
            if let sliced, column.position > sliced.position {
                throw NodeError.invalid(
                    "Clustering column \"\(column.name)\" cannot be restricted (preceding column "
                        + "\"\(sliced.name)\" is restricted by a non-EQ relation)"
                )
            }
        }
    }

    /// The partitions to read, in the order of the answer.
    func partitions(of table: Table) -> [Partition] {
        guard let keys = self.keys else {
            return table.inTokenOrder.filter { self.contains($0.token) }
        }
        return keys.compactMap { table.existingPartition($0) }.filter { self.contains($0.token) }
    }

    private func contains(_ token: Int64) -> Bool {
        self.tokens.allSatisfy { sign, bound in
            // No key has the lowest token; as an upper bound it is the end of the ring.
            if bound == .min, sign == .less || sign == .lessOrEqual { return true }
            return Predicate.holds(sign, token < bound ? -1 : token == bound ? 0 : 1)
        }
    }

    func holds(_ row: ReadRow) -> Bool { self.predicates.allSatisfy { $0.holds(row) } }
}

extension Bindings {
    /// The right side of `token(…) >`: a number or a call of `token`.
    func token(_ term: Term, _ table: Table) throws -> Int64 {
        guard case .function(let call) = term, call.name.name == "token" else {
            return try self.required(term, as: .bigint, for: "partition key token").int64
        }
        guard call.arguments.count == table.partitionKey.count else {
            throw NodeError.invalid(
                "Invalid number of arguments in call to function system.token: "
                    + "\(table.partitionKey.count) required but \(call.arguments.count) provided"
            )
        }
        let key = try zip(call.arguments, table.partitionKey).map { term, column in
            try self.required(term, as: column.type, for: column.name)
        }
        return Table.serialize(key).withUnsafeBytes { Murmur3Partitioner.token(of: $0) }
    }
}
