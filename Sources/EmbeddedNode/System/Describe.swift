import CQLProtocol
import CQLSyntax

/// Answers DESCRIBE, which cqlsh leaves to the server since Cassandra 4.0.
struct Describe {
    let schema: Schema
    let identity: NodeIdentity
    /// The keyspace in use.
    let current: String?

    /// One described thing: the columns of the answer, without the text for mere lists.
    private struct Element {
        let keyspace: String
        let type: String
        let name: String
        var text: String?
    }

    func execute(_ statement: DescribeStatement) throws -> ResultMessage {
        let internals = statement.withInternals
        switch statement.target {
        case .cluster: return try self.cluster()
        case .keyspaces:
            return try self.list(self.keyspaces.map { Element(keyspace: $0.name, type: "keyspace", name: $0.name) })
        case .tables: return try self.list(self.chosen.flatMap { self.tables(of: $0) })
        case .types:
            return try self.list(
                self.chosen.flatMap { keyspace in
                    keyspace.types.keys.sorted().map { Element(keyspace: keyspace.name, type: "type", name: $0) }
                }
            )
        case .functions, .aggregates: return try self.list([])
        case .schema(let full):
            let keyspaces = self.keyspaces.filter { full || self.schema.keyspaces[$0.name] != nil }
            return try self.texts(keyspaces.flatMap { self.describe($0, internals) })
        case .keyspace(let name, let only):
            guard let name = name ?? self.current else {
                throw NodeError.invalid("No keyspace specified and no current keyspace")
            }
            let elements = self.describe(try self.keyspace(name), internals)
            return try self.texts(only ? Array(elements.prefix(1)) : elements)
        case .table(let name):
            guard let table = try self.owner(name).tables[name.name] else {
                throw NodeError.invalid("Table '\(name.name)' not found in keyspace '\(try self.owner(name).name)'")
            }
            return try self.texts(self.describe(table, internals))
        case .type(let name):
            let keyspace = try self.owner(name)
            guard let fields = keyspace.types[name.name] else {
                throw NodeError.invalid("User defined type '\(name.name)' not found in '\(keyspace.name)'")
            }
            return try self.texts([self.element(name.name, fields, keyspace)])
        case .index(let name): return try self.index(name)
        case .function(let name), .aggregate(let name), .view(let name):
            throw NodeError.invalid("'\(name.name)' not found in keyspace '\(try self.owner(name).name)'")
        case .any(let name): return try self.any(name, internals)
        }
    }

    private func any(_ name: QualifiedName, _ internals: Bool) throws -> ResultMessage {
        if name.keyspace == nil, let keyspace = self.find(name.name) {
            return try self.texts(self.describe(keyspace, internals))
        }
        guard let owner = name.keyspace ?? self.current, let keyspace = self.find(owner) else {
            throw NodeError.invalid("'\(name.name)' not found in keyspaces")
        }
        if let table = keyspace.tables[name.name] { return try self.texts(self.describe(table, internals)) }
        if keyspace.index(name.name) != nil { return try self.index(name) }
        throw NodeError.invalid("'\(name.name)' not found in keyspace '\(owner)'")
    }

    private func index(_ name: QualifiedName) throws -> ResultMessage {
        let keyspace = try self.owner(name)
        if let (table, index) = keyspace.index(name.name) { return try self.texts([self.element(index, table)]) }
        throw NodeError.invalid("Table for existing index '\(name.name)' not found in '\(keyspace.name)'")
    }

    // MARK: Schema

    private var keyspaces: [Keyspace] {
        (Array(self.schema.keyspaces.values) + Array(self.schema.system.values)).sorted { $0.name < $1.name }
    }

    /// The keyspace in use, else all.
    private var chosen: [Keyspace] { self.current.flatMap { self.find($0) }.map { [$0] } ?? self.keyspaces }

    private func find(_ name: String) -> Keyspace? { self.schema.keyspaces[name] ?? self.schema.system[name] }

    private func keyspace(_ name: String) throws -> Keyspace {
        guard let keyspace = self.find(name) else { throw NodeError.invalid("'\(name)' not found in keyspaces") }
        return keyspace
    }

    private func owner(_ name: QualifiedName) throws -> Keyspace {
        guard let owner = name.keyspace ?? self.current else {
            throw NodeError.invalid("No keyspace specified and no current keyspace")
        }
        return try self.keyspace(owner)
    }

    private func tables(of keyspace: Keyspace) -> [Element] {
        keyspace.tables.keys.sorted().map { Element(keyspace: keyspace.name, type: "table", name: $0) }
    }

    private func describe(_ keyspace: Keyspace, _ internals: Bool) -> [Element] {
        let head = Element(
            keyspace: keyspace.name,
            type: "keyspace",
            name: keyspace.name,
            text: CreateText.keyspace(keyspace)
        )
        let types = self.inOrderOfUse(keyspace.types).map { self.element($0, keyspace.types[$0] ?? [], keyspace) }
        let tables = keyspace.tables.values.sorted { $0.name < $1.name }.flatMap { self.describe($0, internals) }
        return [head] + types + tables
    }

    /// Types that others use come before these.
    private func inOrderOfUse(_ types: [String: [ValueType.Field]]) -> [String] {
        var done: [String] = []
        func visit(_ name: String) {
            guard !done.contains(name), let fields = types[name] else { return }
            for field in fields { for used in field.type.userTypes where used != name { visit(used) } }
            done.append(name)
        }
        for name in types.keys.sorted() { visit(name) }
        return done
    }

    private func describe(_ table: Table, _ internals: Bool) -> [Element] {
        let text = CreateText.table(table, withInternals: internals)
        return [Element(keyspace: table.keyspace, type: "table", name: table.name, text: text)]
            + table.indexes.map { self.element($0, table) }
    }

    private func element(_ index: Index, _ table: Table) -> Element {
        Element(keyspace: table.keyspace, type: "index", name: index.name, text: CreateText.index(index, table))
    }

    private func element(_ name: String, _ fields: [ValueType.Field], _ keyspace: Keyspace) -> Element {
        Element(keyspace: keyspace.name, type: "type", name: name, text: CreateText.type(name, fields, keyspace))
    }

    // MARK: Answers

    private func spec(_ name: String, _ type: DataType = .varchar) -> ColumnSpec {
        ColumnSpec(keyspace: "system", table: "describe", name: name, type: type)
    }

    private func list(_ elements: [Element]) throws -> ResultMessage {
        let columns = ["keyspace_name", "type", "name"].map { self.spec($0) }
        let rows = elements.map { [$0.keyspace, $0.type, $0.name].map { Bytes($0.utf8).buffer } }
        return .rows(try Rows(metadata: ResultMetadata(columns: columns), rows: rows))
    }

    private func texts(_ elements: [Element]) throws -> ResultMessage {
        let columns = ["keyspace_name", "type", "name", "create_statement"].map { self.spec($0) }
        let rows = elements.map { [$0.keyspace, $0.type, $0.name, $0.text ?? ""].map { Bytes($0.utf8).buffer } }
        return .rows(try Rows(metadata: ResultMetadata(columns: columns), rows: rows))
    }

    private func cluster() throws -> ResultMessage {
        var columns = [self.spec("cluster"), self.spec("partitioner"), self.spec("snitch")]
        var row = [self.identity.clusterName, "Murmur3Partitioner", "SimpleSnitch"].map { Bytes($0.utf8) }
        if self.current != nil {
            columns.append(self.spec("range_ownership", .map(.varchar, .list(.varchar))))
            let tokens = self.identity.tokens.map { String($0) }.sorted()
            let address = JSONText.plain(self.identity.endpoint.address.bytes.bytes, .native("inet"))
            let owners = Bytes.collection(count: 1, [Bytes(address.utf8)])
            row.append(.collection(count: tokens.count, tokens.flatMap { [Bytes($0.utf8), owners] }))
        }
        return .rows(try Rows(metadata: ResultMetadata(columns: columns), rows: [row.map { $0.buffer }]))
    }
}

extension ValueType {
    /// The names of the user types in it.
    var userTypes: [String] {
        switch self {
        case .native: []
        case .list(let inner), .set(let inner), .frozen(let inner): inner.userTypes
        case .map(let key, let value): key.userTypes + value.userTypes
        case .tuple(let elements): elements.flatMap(\.userTypes)
        case .udt(_, let name, let fields): [name] + fields.flatMap(\.type.userTypes)
        }
    }
}
