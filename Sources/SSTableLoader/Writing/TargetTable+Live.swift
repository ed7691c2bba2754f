public import CQLClient
public import LiveTables

extension TargetTable {
    /// Reads a table from the target's `system_schema`, and checks that what a live source has of it fits.
    ///
    /// - Parameter leavingOut: Columns of the source that the target does not have and that are left out.
    /// - Throws: ``TargetTableError`` with each misfit; ``LiveReadError`` where the target has no such table; `CQLSessionError`.
    public static func read(
        for source: LiveTable,
        from sourceSession: CQLSession,
        leavingOut: Set<String> = [],
        on session: CQLSession
    ) async throws -> TargetTable {
        let (keyspace, name) = (source.keyspace, source.name)
        let theirs = try await Column.all(keyspace, name, sourceSession)
        let own = try await Column.all(keyspace, name, session)
        guard !own.isEmpty else { throw TargetTableError.missing("\(keyspace).\(name)") }
        let target = try await LiveTable.read(keyspace: keyspace, name: name, from: session)
        let types = LiveFit(
            source: try await Self.types(keyspace, sourceSession),
            target: try await Self.types(keyspace, session)
        )
        var misfits = Self.misfits(of: source, target, leavingOut)
        for column in theirs {
            guard let other = own.first(where: { $0.name == column.name }),
                source.isNamed(column.name), target.isNamed(column.name)
            else { continue }
            let isSame = column.type.flatMap { type in other.type.map { types.fits(type, $0) } } ?? false
            guard !isSame else { continue }
            misfits.append("column \(column.name) is \(other.typeText), and \(column.typeText) on the source")
        }
        guard misfits.isEmpty else { throw TargetTableError(table: "\(keyspace).\(name)", misfits: misfits) }
        var table = target.target()
        if let list = target.columns.first(where: { $0.storage == .list }) {
            table.hasListIndexes = try await table.takesListIndexes(list.name, session)
        }
        return table
    }

    private static func misfits(of source: LiveTable, _ target: LiveTable, _ leavingOut: Set<String>) -> [String] {
        var misfits: [String] = []
        let names = { (table: LiveTable) in (table.partitionKey, table.clustering.map(\.name)) }
        if names(source) != names(target) {
            let text = { (table: LiveTable) in
                "((\(table.partitionKey.joined(separator: ", ")))"
                    + table.clustering.map { ", \($0.name)" }.joined() + ")"
            }
            misfits.append("the primary key is \(text(target)), and \(text(source)) on the source")
        }
        for column in source.columns {
            guard let other = target.columns.first(where: { $0.name == column.name }) else {
                guard !leavingOut.contains(column.name) else { continue }
                misfits.append(Self.missing(column.name))
                continue
            }
            if other.isStatic != column.isStatic {
                let kind = { (column: LiveTable.Column) in column.isStatic ? "static" : "regular" }
                misfits.append("column \(column.name) is \(kind(other)), and \(kind(column)) on the source")
            }
        }
        return misfits
    }
}

extension LiveTable {
    /// Whether CQL shows a column of this name.
    fileprivate func isNamed(_ name: String) -> Bool {
        self.partitionKey.contains(name) || self.clustering.contains { $0.name == name }
            || self.columns.contains { $0.name == name }
    }
}

/// Whether values of a live source are values of the target's columns, byte for byte.
private struct LiveFit {
    /// The user-defined types of either keyspace: their fields in their order.
    let source, target: [String: [(name: String, type: TypeText)]]
    /// Types nest no deeper than this; one that did would contain itself.
    private static var depthMax: Int { 64 }

    func fits(_ type: TypeText, _ other: TypeText, depth: Int = 0) -> Bool {
        guard depth < Self.depthMax, type.isFrozen == other.isFrozen || depth > 0,
            type.parameters.count == other.parameters.count,
            zip(type.parameters, other.parameters).allSatisfy({ self.fits($0, $1, depth: depth + 1) })
        else { return false }
        if let fields = self.source[type.name] {
            // Fields are found by their place; a type that has more of them on the target still fits.
            guard type.name == other.name, let own = self.target[other.name], own.count >= fields.count else {
                return false
            }
            return zip(fields, own).allSatisfy { $0.name == $1.name && self.fits($0.type, $1.type, depth: depth + 1) }
        }
        let plain = { (name: String) in name == "varchar" ? "text" : name }
        switch (plain(type.name), plain(other.name)) {
        case ("ascii", "text"), ("timeuuid", "uuid"): return true
        case (let one, let two): return one == two
        }
    }
}
