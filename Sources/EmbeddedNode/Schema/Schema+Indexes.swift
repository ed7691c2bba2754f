import CQLProtocol
import CQLSyntax

/// CREATE INDEX and DROP INDEX, checked as Cassandra 4.1 does, or 5.0 where that is the node's release.
///
/// An index of any class is taken, as a server may have any class: only reads tell that no class is there, as they are not
/// answered through custom indexes.
extension Schema {
    /// What Cassandra 5 calls the index that CREATE INDEX has always made.
    private static let legacyClass = "legacy_local_table"

    func create(_ create: CreateIndexStatement, _ current: String?, major: Int) throws -> CQLProtocol.SchemaChange? {
        let className = try self.className(create, major: major)
        let options = try self.options(create, isCustom: className != nil)
        if let owner = create.name?.keyspace, owner != create.table.keyspace ?? current {
            throw NodeError.invalid(
                "Keyspace name '\(create.table.keyspace ?? owner)' doesn't match index name '\(owner)'"
            )
        }
        let table = try self.table(create.table, current)
        let keyspace = try self.keyspace(table.keyspace)
        if let name = create.name?.name, keyspace.index(name) != nil {
            if create.ifNotExists { return nil }
            throw NodeError.invalid("Index '\(name)' already exists")
        }
        guard !table.isCounter else { throw NodeError.invalid("Secondary indexes on counter tables aren't supported") }
        let targets = try create.targets.map { try Target($0, table) }
        if targets.isEmpty, className == nil {
            throw NodeError.invalid("Only CUSTOM indexes can be created without specifying a target column")
        }
        if targets.count > 1 {
            guard className != nil else { throw NodeError.invalid("Only CUSTOM indexes support multiple columns") }
            for (position, target) in targets.enumerated()
            where targets[..<position].contains(where: { $0.column == target.column }) {
                throw NodeError.invalid("Duplicate column '\(target.column.name)' in index target list")
            }
        }
        for target in targets { try target.check(table) }
        let name = create.name?.name ?? keyspace.availableIndexName(table.name, targets.count == 1 ? targets[0] : nil)
        guard !name.isEmpty, name.utf8.allSatisfy(Self.isWord) else {
            throw NodeError(.configError, "Illegal index name \(name)")
        }
        let index = Index(
            name: name,
            kind: className == nil ? "COMPOSITES" : "CUSTOM",
            options: options.merging(["target": targets.map(\.text).joined(separator: ", ")]) { $1 }
                .merging(className.map { ["class_name": $0] } ?? [:]) { $1 },
            columns: targets.map(\.column.name)
        )
        if let equal = table.indexes.first(where: { $0.kind == index.kind && $0.options == index.options }) {
            if create.ifNotExists { return nil }
            throw NodeError.invalid("Index \(name) is a duplicate of existing index \(equal.name)")
        }
        table.indexes.append(index)
        return CQLProtocol.SchemaChange(change: "UPDATED", target: .table(table.name), keyspace: table.keyspace)
    }

    func dropIndex(_ name: QualifiedName, ifExists: Bool, _ current: String?) throws -> CQLProtocol.SchemaChange? {
        guard let owner = name.keyspace ?? current, let keyspace = self.keyspaces[owner],
            let table = keyspace.index(name.name)?.table
        else {
            if ifExists { return nil }
            let owner = try name.keyspace ?? current ?? self.keyspace(nil).name
            throw NodeError.invalid("Index '\(owner).\(name.name)' doesn't exist")
        }
        table.indexes.removeAll { $0.name == name.name }
        return CQLProtocol.SchemaChange(change: "UPDATED", target: .table(table.name), keyspace: keyspace.name)
    }

    // MARK: Properties

    /// The class of a custom index; nil for the index that a node makes by itself.
    private func className(_ create: CreateIndexStatement, major: Int) throws -> String? {
        guard create.isCustom else {
            guard let name = create.using else { return nil }
            guard major >= 5 else { throw NodeError.invalid("Cannot specify index class for a non-CUSTOM index") }
            return name == Self.legacyClass ? nil : name
        }
        guard let name = create.using else {
            throw NodeError.invalid("CUSTOM index requires specifying the index class")
        }
        return name
    }

    private func options(_ create: CreateIndexStatement, isCustom: Bool) throws -> [String: String] {
        var options: [String: String] = [:]
        for property in create.properties {
            guard property.name == "options", case .map(let entries) = property.value else {
                throw NodeError(.syntaxError, "Unknown property '\(property.name)'")
            }
            guard isCustom else { throw NodeError.invalid("Cannot specify options for a non-CUSTOM index") }
            for entry in entries { options[entry.key] = entry.value }
        }
        for name in ["class_name", "target"] where options[name] != nil {
            throw NodeError.invalid("Cannot specify \(name) as a CUSTOM option")
        }
        return options
    }

    fileprivate static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x5f: true
        default: false
        }
    }

    // MARK: Targets

    /// A column with the part of it that is indexed.
    fileprivate struct Target {
        let column: Column
        /// `keys`, `values`, `entries`, `full`; empty for the column as such.
        let form: String

        init(_ target: CreateIndexStatement.Target, _ table: Table) throws {
            let (name, form): (String, String) =
                switch target {
                case .column(let name): (name, "")
                case .keys(let name): (name, "keys")
                case .values(let name): (name, "values")
                case .entries(let name): (name, "entries")
                case .full(let name): (name, "full")
                }
            guard let column = table.column(name) else { throw NodeError.invalid("Column '\(name)' doesn't exist") }
            self.column = column
            self.form = form.isEmpty && column.type.isCollection ? "values" : form
        }

        var text: String {
            let name = CreateText.name(self.column.name)
            return self.form.isEmpty ? name : "\(self.form)(\(name))"
        }

        func check(_ table: Table) throws {
            let (name, type) = (self.column.name, self.column.type)
            if let whole = type.durationHolder {
                throw NodeError.invalid("Secondary indexes are not supported on \(whole)")
            }
            if self.column.kind == .partitionKey, table.partitionKey.count == 1 {
                throw NodeError.invalid("Cannot create secondary index on the only partition key column \(name)")
            }
            let isFrozen = type.isCollection && !type.isComplex
            if isFrozen, self.form != "full" {
                throw NodeError.invalid(
                    "Cannot create \(self.form)() index on frozen column \(name). Frozen collections are immutable and must "
                        + "be fully indexed by using the 'full(\(name))' modifier"
                )
            }
            if !isFrozen, self.form == "full" {
                throw NodeError.invalid("full() indexes can only be created on frozen collections")
            }
            if !type.isCollection, !self.form.isEmpty {
                throw NodeError.invalid(
                    "Cannot create \(self.form)() index on \(name). Non-collection columns only support simple indexes"
                )
            }
            if case .map = type {
            } else if ["keys", "entries"].contains(self.form) {
                throw NodeError.invalid("Cannot create index on \(self.form) of column \(name) with non-map type")
            }
            if case .udt = type {
                throw NodeError.invalid("Cannot create index on non-frozen UDT column \(name)")
            }
        }
    }
}

extension Keyspace {
    /// An index by its name, of which a keyspace has one.
    func index(_ name: String) -> (table: Table, index: Index)? {
        for table in self.tables.values {
            if let index = table.indexes.first(where: { $0.name == name }) { return (table, index) }
        }
        return nil
    }

    fileprivate func availableIndexName(_ table: String, _ target: Schema.Target?) -> String {
        let whole = target.map { "\(table)_\($0.column.name)_idx" } ?? "\(table)_idx"
        let base = String(decoding: whole.utf8.filter(Schema.isWord), as: UTF8.self)
        var (name, number) = (base, 0)
        while self.index(name) != nil {
            number += 1
            name = "\(base)_\(number)"
        }
        return name
    }
}

extension ValueType {
    fileprivate var isCollection: Bool {
        switch self.thawed {
        case .list, .set, .map: true
        case .native, .tuple, .udt, .frozen: false
        }
    }

    /// What Cassandra calls a type with durations in it; nil where there are none.
    fileprivate var durationHolder: String? {
        guard self.hasDuration else { return nil }
        return switch self.thawed {
        case .list, .set, .map: "collections containing durations"
        case .tuple: "tuples containing durations"
        case .udt: "UDTs containing durations"
        case .native, .frozen: "duration columns"
        }
    }

    private var hasDuration: Bool {
        switch self {
        case .native(let name): name == "duration"
        case .list(let inner), .set(let inner), .frozen(let inner): inner.hasDuration
        case .map(let key, let value): key.hasDuration || value.hasDuration
        case .tuple(let elements): elements.contains { $0.hasDuration }
        case .udt(_, _, let fields): fields.contains { $0.type.hasDuration }
        }
    }
}
