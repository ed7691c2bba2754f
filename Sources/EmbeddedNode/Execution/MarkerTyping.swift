import CQLProtocol
import CQLSyntax

/// Finds out which column each bind marker of a statement stands for, and refuses columns that do not exist.
struct MarkerTyping {
    let schema: Schema
    private(set) var table: Table
    private var specs: [Int: ColumnSpec] = [:]
    /// The marker that a column of the partition key is equal to.
    private var keyMarkers: [String: Int] = [:]

    init(schema: Schema, table: Table) {
        self.schema = schema
        self.table = table
    }

    /// The metadata of all markers, in order.
    func metadata() throws -> PreparedMetadata {
        let markers = self.specs.sorted { $0.key < $1.key }.map(\.value)
        let keys = self.table.partitionKey.compactMap { self.keyMarkers[$0.name] }
        let indices = keys.count == self.table.partitionKey.count ? keys.map { UInt16($0) } : []
        return PreparedMetadata(markers: markers, partitionKeyIndices: indices)
    }

    /// Goes on with a statement about another table.
    mutating func enter(_ table: Table) {
        self.table = table
        self.keyMarkers = [:]
    }

    func column(_ name: String) throws -> Column {
        guard let column = self.table.column(name) else {
            throw NodeError.invalid("Undefined column name \(name) in table \(self.table.keyspace).\(self.table.name)")
        }
        return column
    }

    mutating func note(_ term: Term, _ type: ValueType, _ name: String) throws {
        switch term {
        case .marker(let marker): self.note(marker, type, name)
        case .null, .literal: break
        case .list, .set, .map:
            guard !term.holdsMarker else {
                let kind = term.isList ? "list" : term.isMap ? "map" : "set"
                throw NodeError.invalid(
                    "Invalid \(kind) literal for \(name): bind variables are not supported inside collection literals"
                )
            }
        case .tuple(let terms):
            for (index, term) in terms.enumerated() {
                guard case .tuple(let types) = type.thawed, index < types.count else { break }
                try self.note(term, types[index], "\(name)[\(index)]")
            }
        case .userType(let entries):
            guard case .udt(_, _, let fields) = type.thawed else { break }
            for entry in entries {
                guard let field = fields.first(where: { $0.name == entry.name }) else { continue }
                try self.note(entry.value, field.type, "\(name).\(field.name)")
            }
        case .function(let call):
            let function = ScalarFunction(call.name.name)
            // Nothing is prepared that could not be executed: it is how clients find out what a server has.
            guard function.resultType([.text]) != nil else {
                throw NodeError.invalid("Unknown function '\(call.name.name)'")
            }
            for (index, argument) in call.arguments.enumerated() {
                let expected = try function.argumentType(index, returning: type)
                let key = call.name.name == "token" ? self.table.partitionKey.dropFirst(index).first?.type : nil
                try self.note(argument, expected ?? key ?? type, "arg\(index)(\(call.name.name))")
            }
        case .typeHint(let hint, let inner):
            try self.note(inner, self.schema.resolve(hint, self.table.keyspace), name)
        case .cast(let inner, _), .negated(let inner): try self.note(inner, type, name)
        case .arithmetic(let left, _, let right):
            try self.note(left, type, name)
            try self.note(right, type, name)
        }
    }

    private mutating func note(_ marker: BindMarker, _ type: ValueType, _ name: String) {
        self.specs[marker.index] = ColumnSpec(
            keyspace: self.table.keyspace,
            table: self.table.name,
            name: marker.name ?? name,
            type: type.wire
        )
    }

    mutating func note(_ using: UsingClause?) throws {
        if let term = using?.timestamp { try self.note(term, .bigint, "[timestamp]") }
        if let term = using?.timeToLive { try self.note(term, .int, "[ttl]") }
    }

    mutating func note(_ values: InValues, _ type: ValueType, _ name: String) throws {
        switch values {
        case .list(let terms): for term in terms { try self.note(term, type, name) }
        case .marker(let marker): self.note(marker, .list(type), "in(\(name))")
        }
    }

    mutating func note(_ relation: Relation) throws {
        switch relation {
        case .comparison(let name, let sign, let term):
            let column = try self.column(name)
            switch (sign, column.type.thawed) {
            case (.contains, .list(let element)), (.contains, .set(let element)), (.contains, .map(_, let element)):
                try self.note(term, element, "value(\(name))")
            case (.containsKey, .map(let key, _)): try self.note(term, key, "key(\(name))")
            default: try self.note(term, column.type, name)
            }
            if sign == .equal, column.kind == .partitionKey, case .marker(let marker) = term {
                self.keyMarkers[name] = marker.index
            }
        case .isIn(let name, let values): try self.note(values, self.column(name).type, name)
        case .isNotNull(let name): _ = try self.column(name)
        case .element(let name, let key, _, let term):
            guard case .map(let keyType, let value) = try self.column(name).type.thawed else { return }
            try self.note(key, keyType, "key(\(name))")
            try self.note(term, value, "value(\(name))")
        case .token(_, _, let term): try self.note(term, .bigint, "partition key token")
        case .tuple(let names, _, let term):
            let type = ValueType.tuple(try names.map { try self.column($0).type })
            if case .tuple(let terms) = term {
                for (name, term) in zip(names, terms) { try self.note(term, self.column(name).type, name) }
            } else {
                try self.note(term, type, "(\(names.joined(separator: ",")))")
            }
        case .tupleIn(let names, let values):
            let type = ValueType.tuple(try names.map { try self.column($0).type })
            try self.note(values, type, "(\(names.joined(separator: ",")))")
        case .customIndex: throw NodeError.unsupported("a custom index")
        }
    }

    mutating func note(_ condition: ConditionClause?) throws {
        guard case .columns(let conditions) = condition?.kind else { return }
        for condition in conditions {
            let (type, name) = try self.part(condition.part)
            switch condition.test {
            case .compare(_, let term): try self.note(term, type, name)
            case .isIn(let values): try self.note(values, type, name)
            }
        }
    }

    /// Notes the markers of an index or key, and tells the type of the part.
    private mutating func part(_ part: ColumnPart) throws -> (ValueType, String) {
        let column = try self.column(part.column)
        switch (part, column.type.thawed) {
        case (.column, _): return (column.type, column.name)
        case (.element(_, let key), .list(let element)):
            try self.note(key, .int, "idx(\(column.name))")
            return (element, "value(\(column.name))")
        case (.element(_, let key), .map(let keyType, let value)):
            try self.note(key, keyType, "key(\(column.name))")
            return (value, "value(\(column.name))")
        case (.element(_, let key), .set(let element)):
            try self.note(key, element, "value(\(column.name))")
            return (element, "value(\(column.name))")
        case (.field(_, let name), .udt(_, _, let fields)):
            guard let field = fields.first(where: { $0.name == name }) else {
                throw NodeError.invalid("UDT column \(column.name) does not have a field named \(name)")
            }
            return (field.type, "\(column.name).\(name)")
        default:
            throw NodeError.invalid("Invalid operation on column \(column.name) of type \(column.type.description)")
        }
    }

    mutating func note(_ insert: InsertStatement) throws {
        switch insert.source {
        case .values(let names, let terms):
            for (name, term) in zip(names, terms) {
                let column = try self.column(name)
                try self.note(term, column.type, name)
                if column.kind == .partitionKey, case .marker(let marker) = term {
                    self.keyMarkers[name] = marker.index
                }
            }
        case .json(let term, _): try self.note(term, .text, "[json]")
        }
        try self.note(insert.using)
    }

    mutating func note(_ update: UpdateStatement) throws {
        try self.note(update.using)
        for assignment in update.assignments {
            switch assignment {
            case .assign(let part, let term):
                let (type, name) = try self.part(part)
                try self.note(term, type, name)
            case .subtract(let name, let term):
                let type = try self.column(name).type
                if case .map(let key, _) = type.thawed {
                    try self.note(term, .set(key), name)
                } else {
                    try self.note(term, type, name)
                }
            case .add(let name, let term), .prepend(let name, let term):
                try self.note(term, self.column(name).type, name)
            }
        }
        for relation in update.relations { try self.note(relation) }
        try self.note(update.condition)
    }

    mutating func note(_ delete: DeleteStatement) throws {
        for part in delete.parts { _ = try self.part(part) }
        try self.note(delete.using)
        for relation in delete.relations { try self.note(relation) }
        try self.note(delete.condition)
    }

    mutating func note(_ select: SelectStatement) throws {
        if case .items(let items) = select.projection {
            for item in items { try self.note(item.selector, as: nil) }
        }
        for relation in select.relations { try self.note(relation) }
        for order in select.orderBy { _ = try self.column(order.column) }
        if let term = select.perPartitionLimit { try self.note(term, .int, "[per_partition_limit]") }
        if let term = select.limit { try self.note(term, .int, "[limit]") }
    }

    private mutating func note(_ selector: Selector, as type: ValueType?) throws {
        switch selector {
        case .typeHint(let hint, let inner): try self.note(inner, as: self.schema.resolve(hint, self.table.keyspace))
        case .term(.marker(let marker)):
            guard let type else {
                throw NodeError.invalid(
                    "Cannot infer type for term ? in selection clause (try using a cast to force a type)"
                )
            }
            self.note(marker, type, "[selection]")
        case .function(let name, let arguments):
            let function = ScalarFunction(name.name)
            for (index, argument) in arguments.enumerated() {
                let key = name.name == "token" ? self.table.partitionKey.dropFirst(index).first?.type : nil
                try self.note(argument, as: function.argumentType(index, returning: .text) ?? key)
            }
        case .element(let inner, let key):
            try self.note(inner, as: nil)
            guard case .column(let name) = inner else { return }
            switch try self.column(name).type.thawed {
            case .map(let keyType, _), .set(let keyType): try self.note(key, as: keyType)
            default: break
            }
        case .writeTime(let inner), .maxWriteTime(let inner), .timeToLive(let inner): try self.note(inner, as: nil)
        case .cast(let inner, _), .field(let inner, _), .negated(let inner): try self.note(inner, as: type)
        default: break
        }
    }
}

extension Term {
    fileprivate var isList: Bool {
        if case .list = self { return true }
        return false
    }

    fileprivate var isMap: Bool {
        if case .map = self { return true }
        return false
    }

    /// Whether there is a bind marker in it, however deep.
    fileprivate var holdsMarker: Bool {
        switch self {
        case .null, .literal: false
        case .marker: true
        case .list(let terms), .set(let terms), .tuple(let terms): terms.contains(where: \.holdsMarker)
        case .map(let entries): entries.contains { $0.key.holdsMarker || $0.value.holdsMarker }
        case .userType(let fields): fields.contains(where: \.value.holdsMarker)
        case .function(let call): call.arguments.contains(where: \.holdsMarker)
        case .cast(let term, _), .typeHint(_, let term), .negated(let term): term.holdsMarker
        case .arithmetic(let left, _, let right): left.holdsMarker || right.holdsMarker
        }
    }
}
