import CQLProtocol
import CQLSyntax

/// Keyspaces, tables and types. Not thread-safe: its owner guards it.
final class Schema {
    var keyspaces: [String: Keyspace] = [:]
    /// The keyspaces of the node itself, with empty tables.
    private(set) lazy var system = SystemSchema.keyspaces()
    private(set) var version = Clock.randomUUID()

    /// What the clock is ahead of the machine's, in microseconds.
    var clockOffset: Int64 = 0
    private var lastMicroseconds: Int64 = 0

    /// The time in microseconds since 1970, never twice the same.
    func nextMicroseconds() -> Int64 {
        self.lastMicroseconds = max(Clock.microseconds + self.clockOffset, self.lastMicroseconds + 1)
        return self.lastMicroseconds
    }

    func changed() { self.version = Clock.randomUUID() }

    func keyspace(_ name: String?) throws -> Keyspace {
        guard let name else {
            throw NodeError.invalid(
                "No keyspace has been specified. USE a keyspace, or explicitly specify keyspace.tablename"
            )
        }
        guard let keyspace = self.keyspaces[name] else {
            throw NodeError.invalid("Keyspace '\(name)' does not exist")
        }
        return keyspace
    }

    func table(_ name: QualifiedName, _ current: String?) throws -> Table {
        let keyspaceName = name.keyspace ?? current
        if let keyspaceName, self.keyspaces[keyspaceName] == nil {
            throw NodeError.invalid("keyspace \(keyspaceName) does not exist")
        }
        guard let table = try self.keyspace(keyspaceName).tables[name.name] else {
            throw NodeError.invalid("table \(name.name) does not exist")
        }
        return table
    }

    func resolve(_ type: CQLType, _ keyspace: String) throws -> ValueType {
        switch type {
        case .native(let name):
            let name = name == "varchar" ? "text" : name
            guard ValueType.nativeIDs[name] != nil || name == "duration" else {
                throw NodeError.invalid("Unknown type \(keyspace).\(name)")
            }
            return .native(name)
        case .list(let element): return .list(try self.resolve(element, keyspace))
        case .set(let element): return .set(try self.resolve(element, keyspace))
        case .map(let key, let value):
            return .map(try self.resolve(key, keyspace), try self.resolve(value, keyspace))
        case .tuple(let elements): return .tuple(try elements.map { try self.resolve($0, keyspace) })
        case .frozen(let inner): return .frozen(try self.resolve(inner, keyspace))
        case .userDefined(let name):
            let owner = name.keyspace ?? keyspace
            guard let fields = self.keyspaces[owner]?.types[name.name] else {
                throw NodeError.invalid("Unknown type \(owner).\(name.name)")
            }
            return .udt(keyspace: owner, name: name.name, fields: fields)
        case .vector: throw NodeError.unsupported("the vector type")
        case .custom(let name): throw NodeError.unsupported("custom type \(name)")
        }
    }
}

/// Statements that change the schema.
extension Schema {
    /// - Parameter major: the first number of the node's release.
    func execute(_ statement: Statement, _ current: String?, major: Int) throws -> CQLProtocol.SchemaChange? {
        let change: CQLProtocol.SchemaChange?
        switch statement {
        case .createKeyspace(let create): change = try self.create(create)
        case .alterKeyspace(let alter):
            let keyspace = try self.keyspace(alter.name)
            self.apply(alter.properties, to: keyspace)
            change = CQLProtocol.SchemaChange(change: "UPDATED", target: .keyspace, keyspace: alter.name)
        case .dropKeyspace(let name, let ifExists):
            if self.keyspaces[name] == nil {
                if ifExists { return nil }
                throw NodeError.invalid("Keyspace '\(name)' doesn't exist")
            }
            guard !name.hasPrefix("system") else {
                throw NodeError(.unauthorized, "\(name) keyspace is not user-modifiable.")
            }
            self.keyspaces[name] = nil
            change = CQLProtocol.SchemaChange(change: "DROPPED", target: .keyspace, keyspace: name)
        case .createTable(let create): change = try self.create(create, current)
        case .alterTable(let alter): change = try self.alter(alter, current)
        case .dropTable(let name, let ifExists):
            guard let keyspace = self.keyspaces[name.keyspace ?? current ?? ""], keyspace.tables[name.name] != nil
            else {
                if ifExists { return nil }
                throw NodeError.invalid("Table '\(name.keyspace ?? current ?? "").\(name.name)' doesn't exist")
            }
            keyspace.tables[name.name] = nil
            change = CQLProtocol.SchemaChange(change: "DROPPED", target: .table(name.name), keyspace: keyspace.name)
        case .createType, .alterType, .dropType: change = try self.type(statement, current)
        case .createIndex(let create): change = try self.create(create, current, major: major)
        case .dropIndex(let name, let ifExists): change = try self.dropIndex(name, ifExists: ifExists, current)
        case .createView, .alterView, .dropView: throw NodeError.unsupported("a materialized view")
        case .createFunction, .dropFunction: throw NodeError.unsupported("a user-defined function")
        case .createAggregate, .dropAggregate: throw NodeError.unsupported("a user-defined aggregate")
        case .createTrigger, .dropTrigger: throw NodeError.unsupported("a trigger")
        default: throw NodeError.unsupported("a statement about roles, permissions or DESCRIBE")
        }
        if change != nil { self.changed() }
        return change
    }

    private func apply(_ properties: [Property], to keyspace: Keyspace) {
        for property in properties {
            switch (property.name, property.value) {
            case ("replication", .map(let entries)):
                keyspace.replication = Dictionary(entries.map { ($0.key, $0.value) }) { $1 }
                if let name = keyspace.replication["class"], !name.contains(".") {
                    keyspace.replication["class"] = "org.apache.cassandra.locator." + name
                }
            case ("durable_writes", .text(let text)): keyspace.durableWrites = text.lowercased() == "true"
            default: break
            }
        }
    }

    private func create(_ create: CreateKeyspaceStatement) throws -> CQLProtocol.SchemaChange? {
        if self.keyspaces[create.name] != nil {
            if create.ifNotExists { return nil }
            throw NodeError(
                .alreadyExists,
                "Cannot add existing keyspace \"\(create.name)\"",
                details: .alreadyExists(keyspace: create.name, table: "")
            )
        }
        let keyspace = Keyspace(name: create.name, replication: [:], durableWrites: true)
        self.apply(create.properties, to: keyspace)
        guard keyspace.replication["class"] != nil else {
            throw NodeError(.configError, "Missing replication strategy class")
        }
        self.keyspaces[create.name] = keyspace
        return CQLProtocol.SchemaChange(change: "CREATED", target: .keyspace, keyspace: create.name)
    }

    func create(_ create: CreateTableStatement, _ current: String?) throws -> CQLProtocol.SchemaChange? {
        let keyspace = try self.keyspace(create.name.keyspace ?? current)
        if keyspace.tables[create.name.name] != nil {
            if create.ifNotExists { return nil }
            throw NodeError(
                .alreadyExists,
                "Cannot add already existing table \"\(create.name.name)\" to keyspace \"\(keyspace.name)\"",
                details: .alreadyExists(keyspace: keyspace.name, table: create.name.name)
            )
        }
        let key = create.primaryKey
        guard !key.partitionKey.isEmpty else {
            throw NodeError.invalid(
                "No PRIMARY KEY specifed for table '\(keyspace.name).\(create.name.name)' (exactly one required)"
            )
        }
        for name in key.partitionKey + key.clusteringColumns where !create.columns.contains(where: { $0.name == name })
        {
            throw NodeError.invalid(
                "Unknown column '\(name)' referenced in PRIMARY KEY for table '\(keyspace.name).\(create.name.name)'"
            )
        }
        let columns = try self.columns(create, keyspace: keyspace.name)
        let options = Dictionary(create.options.properties.map { ($0.name, $0.value) }) { $1 }
        keyspace.tables[create.name.name] = Table(
            keyspace: keyspace.name,
            name: create.name.name,
            id: Clock.timeUUID(ticks: Clock.microseconds * 10),
            columns: columns,
            options: options
        )
        return CQLProtocol.SchemaChange(change: "CREATED", target: .table(create.name.name), keyspace: keyspace.name)
    }

    /// The columns of a definition with their types and places in the key.
    func columns(_ create: CreateTableStatement, keyspace: String) throws -> [Column] {
        let key = create.primaryKey
        return try create.columns.map { definition in
            let type = try self.resolve(definition.type, keyspace)
            var column = Column(name: definition.name, type: type, kind: definition.isStatic ? .static : .regular)
            if let position = key.partitionKey.firstIndex(of: definition.name) {
                (column.kind, column.position) = (.partitionKey, position)
            } else if let position = key.clusteringColumns.firstIndex(of: definition.name) {
                (column.kind, column.position) = (.clustering, position)
                column.isDescending = create.options.clusteringOrder.contains {
                    $0.column == definition.name && $0.isDescending
                }
            }
            return column
        }
    }

    private func alter(_ alter: AlterTableStatement, _ current: String?) throws -> CQLProtocol.SchemaChange? {
        let table = try self.table(alter.name, current)
        switch alter.change {
        case .add(let columns, let ifNotExists):
            var all = table.columns
            for definition in columns {
                if table.column(definition.name) != nil {
                    if ifNotExists { continue }
                    throw NodeError.invalid("Column with name '\(definition.name)' already exists")
                }
                let type = try self.resolve(definition.type, table.keyspace)
                all.append(Column(name: definition.name, type: type, kind: definition.isStatic ? .static : .regular))
            }
            table.replaceColumns(all)
        case .drop(let names, let ifExists, _):
            for name in names {
                guard let column = table.column(name) else {
                    if ifExists { continue }
                    throw NodeError.invalid("Column \(name) was not found in table '\(table.keyspace).\(table.name)'")
                }
                guard column.position < 0 else { throw NodeError.invalid("Cannot drop PRIMARY KEY column \(name)") }
                let indexes = table.indexes.filter { $0.columns.contains(name) }.map(\.name)
                guard indexes.isEmpty else {
                    throw NodeError.invalid(
                        "Cannot drop column \(name) because it has dependent secondary indexes "
                            + "(\(indexes.joined(separator: ", ")))"
                    )
                }
                table.replaceColumns(table.columns.filter { $0.name != name })
                for partition in table.partitions.values { partition.removeColumn(name) }
            }
        case .with(let options):
            for property in options.properties { table.options[property.name] = property.value }
        case .rename, .alterType, .dropCompactStorage: throw NodeError.unsupported("this form of ALTER TABLE")
        }
        return CQLProtocol.SchemaChange(change: "UPDATED", target: .table(table.name), keyspace: table.keyspace)
    }

    private func type(_ statement: Statement, _ current: String?) throws -> CQLProtocol.SchemaChange? {
        switch statement {
        case .createType(let create):
            let keyspace = try self.keyspace(create.name.keyspace ?? current)
            if keyspace.types[create.name.name] != nil {
                if create.ifNotExists { return nil }
                throw NodeError.invalid("A user type with name '\(create.name.name)' already exists")
            }
            keyspace.types[create.name.name] = try create.fields.map {
                ValueType.Field(name: $0.name, type: try self.resolve($0.type, keyspace.name))
            }
            return CQLProtocol.SchemaChange(change: "CREATED", target: .type(create.name.name), keyspace: keyspace.name)
        case .dropType(let name, let ifExists):
            let keyspace = try self.keyspace(name.keyspace ?? current)
            guard keyspace.types[name.name] != nil else {
                if ifExists { return nil }
                throw NodeError.invalid("Type '\(keyspace.name).\(name.name)' doesn't exist")
            }
            let users = keyspace.tables.values.filter { $0.columns.contains { $0.type.userTypes.contains(name.name) } }
            guard users.isEmpty else {
                let tables = users.map(\.name).sorted().joined(separator: ", ")
                throw NodeError.invalid(
                    "Cannot drop user type '\(keyspace.name).\(name.name)' as it is still used by tables \(tables)"
                )
            }
            keyspace.types[name.name] = nil
            return CQLProtocol.SchemaChange(change: "DROPPED", target: .type(name.name), keyspace: keyspace.name)
        case .alterType(let alter): return try self.alter(alter, current)
        default: throw NodeError.unsupported("this statement about a type")
        }
    }

    private func alter(_ alter: AlterTypeStatement, _ current: String?) throws -> CQLProtocol.SchemaChange? {
        let keyspace = try self.keyspace(alter.name.keyspace ?? current)
        guard var fields = keyspace.types[alter.name.name] else {
            if alter.ifExists { return nil }
            throw NodeError.invalid("Type '\(keyspace.name).\(alter.name.name)' doesn't exist")
        }
        switch alter.change {
        case .add(let definition, let ifNotExists):
            guard !fields.contains(where: { $0.name == definition.name }) else {
                if ifNotExists { return nil }
                throw NodeError.invalid(
                    "Cannot add field \(definition.name) to type \(keyspace.name).\(alter.name.name): "
                        + "a field with name \(definition.name) already exists"
                )
            }
            fields.append(.init(name: definition.name, type: try self.resolve(definition.type, keyspace.name)))
        case .rename(let renames, let ifExists):
            for rename in renames {
                guard let index = fields.firstIndex(where: { $0.name == rename.from }) else {
                    if ifExists { continue }
                    throw NodeError.invalid(
                        "Unkown field \(rename.from) in user type \(keyspace.name).\(alter.name.name)"
                    )
                }
                fields[index] = .init(name: rename.to, type: fields[index].type)
            }
        case .alter: throw NodeError.invalid("Altering field types is no longer supported")
        }
        keyspace.types[alter.name.name] = fields
        for table in keyspace.tables.values {
            table.replaceColumns(
                table.columns.map { column in
                    var column = column
                    column.type = column.type.replacing(alter.name.name, of: keyspace.name, with: fields)
                    return column
                }
            )
        }
        for (name, users) in keyspace.types {
            keyspace.types[name] = users.map {
                .init(name: $0.name, type: $0.type.replacing(alter.name.name, of: keyspace.name, with: fields))
            }
        }
        return CQLProtocol.SchemaChange(change: "UPDATED", target: .type(alter.name.name), keyspace: keyspace.name)
    }
}
