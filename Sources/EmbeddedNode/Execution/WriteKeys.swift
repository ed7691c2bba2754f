import CQLProtocol
import CQLSyntax

/// The partitions and rows that the WHERE clause of an UPDATE or DELETE names.
struct WriteKeys {
    /// One partition key per partition.
    private(set) var partitions: [[Bytes]] = []
    /// Clustering prefixes with equal length: whole rows, or what a range deletion covers.
    private(set) var prefixes: [[Bytes]] = [[]]
    /// Bounds behind the prefix, for DELETE.
    private(set) var lower: (values: [Bytes], isInclusive: Bool)?
    private(set) var upper: (values: [Bytes], isInclusive: Bool)?

    var isRange: Bool { self.lower != nil || self.upper != nil }

    init(_ relations: [Relation], _ table: Table, _ bindings: Bindings) throws {
        var values: [String: [Bytes]] = [:]
        var slices: [(columns: [Column], ComparisonOperator, [Bytes])] = []
        func column(_ name: String) throws -> Column {
            guard let column = table.column(name) else {
                throw NodeError.invalid("Undefined column name \(name) in table \(table.keyspace).\(table.name)")
            }
            guard column.kind == .partitionKey || column.kind == .clustering else {
                throw NodeError.invalid("Non PRIMARY KEY columns found in where clause: \(name) ")
            }
            return column
        }
        for relation in relations {
            switch relation {
            case .comparison(let name, .equal, let term):
                let target = try column(name)
                guard values[name] == nil else {
                    throw NodeError.invalid(
                        "\(name) cannot be restricted by more than one relation if it includes an Equal"
                    )
                }
                values[name] = [try bindings.required(term, as: target.type, for: name)]
            case .isIn(let name, let list):
                let target = try column(name)
                values[name] = try bindings.values(list, as: target.type, for: name)
            case .comparison(let name, let sign, let term):
                let target = try column(name)
                guard target.kind == .clustering else {
                    throw NodeError.invalid(
                        "Only EQ and IN relation are supported on the partition key (unless you use the "
                            + "token() function)"
                    )
                }
                slices.append(([target], sign, [try bindings.required(term, as: target.type, for: name)]))
            case .tuple(let names, let sign, let term):
                let columns = try names.map { try column($0) }
                let parts = try bindings.tuple(term, columns)
                if sign == .equal {
                    for (column, part) in zip(columns, parts) { values[column.name] = [part] }
                } else {
                    slices.append((columns, sign, parts))
                }
            case .tupleIn(let names, let list):
                guard names.count == 1, let name = names.first else {
                    throw NodeError.unsupported("a tuple IN restriction in a write")
                }
                let type = ValueType.tuple([try column(name).type])
                values[name] = try bindings.values(list, as: type, for: name).compactMap {
                    $0.parts(from: 0)?.first ?? nil
                }
            case .token, .element, .isNotNull, .customIndex:
                throw NodeError.invalid(
                    "The token function cannot be used in WHERE clauses for UPDATE and DELETE statements"
                )
            }
        }
        self.partitions = [[]]
        for key in table.partitionKey {
            guard let allowed = values[key.name] else {
                throw NodeError.invalid("Some partition key parts are missing: \(key.name)")
            }
            self.partitions = self.partitions.flatMap { prefix in allowed.map { prefix + [$0] } }
        }
        var open = false
        for clustering in table.clustering {
            guard let allowed = values[clustering.name] else {
                open = true
                continue
            }
            guard !open else {
                throw NodeError.invalid(
                    "PRIMARY KEY column \"\(clustering.name)\" cannot be restricted as preceding column "
                        + "is not restricted"
                )
            }
            self.prefixes = self.prefixes.flatMap { prefix in allowed.map { prefix + [$0] } }
        }
        try self.bound(slices, table)
    }

    private mutating func bound(_ slices: [(columns: [Column], ComparisonOperator, [Bytes])], _ table: Table) throws {
        let next = self.prefixes.first?.count ?? 0
        for (columns, sign, values) in slices {
            guard columns.first?.position == next else {
                throw NodeError.invalid(
                    "PRIMARY KEY column \"\(columns.first?.name ?? "")\" cannot be restricted as "
                        + "preceding column is not restricted"
                )
            }
            // A descending column keeps its larger values in front.
            let flips = columns.first?.isDescending ?? false
            switch sign {
            case .greater, .greaterOrEqual:
                let end = (values, sign == .greaterOrEqual)
                if flips { self.upper = end } else { self.lower = end }
            case .less, .lessOrEqual:
                let end = (values, sign == .lessOrEqual)
                if flips { self.lower = end } else { self.upper = end }
            case .equal, .notEqual, .contains, .containsKey, .like:
                throw NodeError.invalid("Unsupported relation on column \(columns.first?.name ?? "")")
            }
        }
    }
}

extension Bindings {
    /// The parts of a tuple that is compared with several columns at once.
    func tuple(_ term: Term, _ columns: [Column]) throws -> [Bytes] {
        let type = ValueType.tuple(columns.map(\.type))
        let name = "(\(columns.map(\.name).joined(separator: ",")))"
        let parts = try self.required(term, as: type, for: name).parts(from: 0) ?? []
        return try parts.map {
            guard let part = $0 else { throw NodeError.invalid("Invalid null value in condition for columns \(name)") }
            return part
        }
    }
}
