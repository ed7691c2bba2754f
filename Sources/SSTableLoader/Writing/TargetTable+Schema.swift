public import CQLClient
import CQLProtocol
public import LiveTables
public import SSTable

/// Why SSTables cannot be loaded into a table of the target.
public struct TargetTableError: Error, Sendable, CustomStringConvertible {
    /// The keyspace and table.
    public let table: String
    /// Each reason.
    public let misfits: [String]

    static func missing(_ table: String) -> Self {
        Self(table: table, misfits: ["the target has no such table; create it with its source's DDL"])
    }

    /// All reasons.
    public var description: String { "\(self.table): \(self.misfits.joined(separator: "; "))" }
}

extension TargetTable {
    /// Reads a table from the target's `system_schema`, and checks that the SSTables' key and columns fit it.
    ///
    /// - Parameter leavingOut: Columns of the SSTables that the target does not have and that are left out: dropped ones, which
    ///   files keep until they are compacted. Any other one that is missing is an error, because its data would be lost.
    /// - Throws: ``TargetTableError`` with each misfit, `CQLSessionError`.
    public static func read(
        keyspace: String,
        name: String,
        for columns: TableColumns,
        leavingOut: Set<String> = [],
        from session: CQLSession
    ) async throws -> TargetTable {
        let full = "\(keyspace).\(name)"
        let own = try await Column.all(keyspace, name, session)
        guard !own.isEmpty else { throw TargetTableError.missing(full) }
        let fit = TypeFit(types: try await Self.types(keyspace, session))
        let misfits = Self.misfits(of: columns, own, fit, leavingOut)
        guard misfits.isEmpty else { throw TargetTableError(table: full, misfits: misfits) }
        let cells = own.filter { $0.kind == "static" || $0.kind == "regular" }
        var table = TargetTable(
            keyspace: keyspace,
            name: name,
            partitionKey: Column.key("partition_key", own).map(\.name),
            // The order is the SSTables', because bounds of deleted ranges come in it.
            clustering: zip(Column.key("clustering", own), columns.clustering).map {
                ClusteringColumn(name: $0.name, isReversed: $1.isReversed)
            },
            columns: Set(cells.map(\.name))
        )
        if let list = cells.first(where: { $0.type?.name == "list" && $0.type?.isFrozen == false }) {
            table.hasListIndexes = try await table.takesListIndexes(list.name, session)
        }
        return table
    }

    /// Asks the target itself whether it knows ScyllaDB's places of list elements: it prepares such a statement.
    func takesListIndexes(_ column: String, _ session: CQLSession) async throws -> Bool {
        var texts = StatementTexts(self)
        do {
            _ = try await session.prepare(texts.text(.update([.listElement(column)], isStatic: false)))
            return true
        } catch let error as CQLSessionError {
            guard let code = error.serverError?.code, [.syntaxError, .invalid].contains(code) else { throw error }
            return false
        }
    }

    private static func misfits(
        of columns: TableColumns,
        _ own: [Column],
        _ fit: TypeFit,
        _ leavingOut: Set<String>
    ) -> [String] {
        var misfits: [String] = []
        let isCompact = Self.isStaticCompact(columns, own)
        for (what, kind, types) in [
            ("partition key", "partition_key", columns.partitionKey),
            ("clustering", "clustering", isCompact ? [] : columns.clustering),
        ] {
            let key = Column.key(kind, own)
            guard key.count == types.count else {
                misfits.append("the \(what) has \(key.count) columns, and \(types.count) in the SSTables")
                continue
            }
            for (column, type) in zip(key, types) where !(column.type.map { fit.fits(type, $0) } ?? false) {
                misfits.append(
                    "\(what) column \(column.name) is \(column.typeText), and \(type.dataType) in the SSTables"
                )
            }
        }
        let cells =
            columns.statics.map { ($0, isCompact ? "regular" : "static") }
            + (isCompact ? [] : columns.regulars.map { ($0, "regular") })
        for (column, kind) in cells
        where !leavingOut.contains(column.name) || own.contains(where: { $0.name == column.name }) {
            guard let target = own.first(where: { $0.name == column.name }) else {
                misfits.append(Self.missing(column.name))
                continue
            }
            guard target.kind == kind else {
                misfits.append("column \(column.name) is \(target.kind), and \(kind) in the SSTables")
                continue
            }
            guard let type = target.type, fit.fits(column.type, type),
                column.type.isMultiCell == (type.isMultiCell(fit) && !type.isFrozen)
            else {
                let frozen = column.type.isMultiCell ? "" : type(ofFrozen: column.type)
                misfits.append(
                    "column \(column.name) is \(target.typeText), and \(frozen)\(column.type.dataType) in the SSTables"
                )
                continue
            }
        }
        return misfits
    }

    /// A table of compact storage without clustering: what CQL calls its columns lies on disk as static ones, beside a clustering
    /// and a value that CQL does not show (Cassandra's `TableMetadata.isStaticCompactTable`). A static row of such a table is
    /// written by its partition key alone, as the row of the target is.
    private static func isStaticCompact(_ columns: TableColumns, _ own: [Column]) -> Bool {
        columns.clustering.count == 1 && Column.key("clustering", own).isEmpty && !columns.statics.isEmpty
            && columns.regulars.count <= 1
    }

    /// A column of the source that the target has not.
    static func missing(_ column: String) -> String {
        "column \(column) is missing: add it to the target, or leave it out (columns.exclude)"
    }

    private static func type(ofFrozen type: ColumnType) -> String {
        switch type.dataType {
        case .list, .set, .map, .udt: "frozen "
        case .native, .custom, .tuple: ""
        }
    }

    /// The user-defined types of a keyspace.
    static func types(
        _ keyspace: String,
        _ session: CQLSession
    ) async throws -> [String: [(name: String, type: TypeText)]] {
        let text = "SELECT type_name, field_names, field_types FROM system_schema.types WHERE keyspace_name = ?"
        let statement = try await session.prepare(text, isIdempotent: true)
        var types: [String: [(name: String, type: TypeText)]] = [:]
        for try await page in session.pages(statement, [.text(keyspace)], pageSize: 1_000, consistency: .localOne) {
            for row in page {
                guard case .text(let name) = try row.value("type_name"),
                    case .list(let names) = try row.value("field_names"),
                    case .list(let texts) = try row.value("field_types")
                else { continue }
                types[name] = zip(names, texts).compactMap { name, text in
                    guard case .text(let name) = name, case .text(let text) = text else { return nil }
                    return TypeText(text).map { (name, $0) }
                }
            }
        }
        return types
    }

    /// A column as the target's schema has it.
    struct Column {
        let name: String
        let kind: String
        let position: Int32
        let typeText: String
        let type: TypeText?

        static func all(_ keyspace: String, _ table: String, _ session: CQLSession) async throws -> [Self] {
            let text =
                "SELECT column_name, kind, position, type FROM system_schema.columns"
                + " WHERE keyspace_name = ? AND table_name = ?"
            let statement = try await session.prepare(text, isIdempotent: true)
            var columns: [Self] = []
            let values: [CQLValue] = [.text(keyspace), .text(table)]
            for try await page in session.pages(statement, values, pageSize: 1_000, consistency: .localOne) {
                for row in page {
                    guard case .text(let name) = try row.value("column_name"),
                        case .text(let kind) = try row.value("kind"),
                        case .int(let position) = try row.value("position"),
                        case .text(let type) = try row.value("type")
                    else { continue }
                    columns.append(
                        Self(name: name, kind: kind, position: position, typeText: type, type: TypeText(type))
                    )
                }
            }
            return columns
        }

        static func key(_ kind: String, _ columns: [Self]) -> [Self] {
            columns.filter { $0.kind == kind }.sorted { $0.position < $1.position }
        }
    }
}

extension TypeText {
    /// Whether its values are stored element by element where it is not frozen.
    fileprivate func isMultiCell(_ fit: TypeFit) -> Bool {
        ["list", "set", "map"].contains(self.name) || fit.types[self.name] != nil
    }
}
