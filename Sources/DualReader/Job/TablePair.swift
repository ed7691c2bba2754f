import CQLClient
import CQLProtocol
import LiveTables
import NIOCore
import TokenRanges

/// One cluster's side of a table: how its ranges and its single rows are read.
struct TableSide: Sendable {
    let session: CQLSession
    let prepared: LiveSelect.Prepared
    let layout: RowLayout
    /// Reads one row.
    let row: CQLStatement
    /// Reads the static columns of one partition.
    let statics: CQLStatement

    init(_ table: LiveTable, on session: CQLSession, _ rules: ComparisonRules) async throws {
        self.session = session
        // Times that are told for one element at a time would cost reads for each row.
        self.prepared = try await LiveSelect.prepare(table, on: session, readsCounters: true, asksByKey: false)
        self.layout = RowLayout(self.prepared.select, rules)
        func conditions(_ names: [String]) -> String {
            names.map { "\(StatementTexts.Target.quoted($0)) = ?" }.joined(separator: " AND ")
        }
        let selection = self.prepared.select.selection
        let row = "\(selection) WHERE \(conditions(table.partitionKey + table.clustering.map(\.name)))"
        let statics = "\(selection) WHERE \(conditions(table.partitionKey)) LIMIT 1"
        self.row = try await session.prepare(row, isIdempotent: true)
        self.statics = table.clustering.isEmpty ? self.row : try await session.prepare(statics, isIdempotent: true)
    }

    /// The types of the selected columns.
    private var types: [DataType] { self.prepared.statement.columns.columns.map(\.type) }

    /// The table as it is compared.
    func compared() -> ComparedTable {
        let table = self.prepared.select.table
        func type(_ name: String) -> DataType { self.layout.place(of: name).map { self.types[$0] } ?? .blob }
        return ComparedTable(
            name: TableName(keyspace: table.keyspace, table: table.name),
            partitionKey: table.partitionKey.map { .init($0, type($0)) },
            clustering: table.clustering.map { .init($0.name, type($0.name), isReversed: $0.isReversed) },
            columns: table.columns.map {
                .init($0.name, type($0.name), storage: $0.storage, isStatic: $0.isStatic)
            }
        )
    }
}

/// A table of which both clusters have the same key and columns.
struct TablePair: Sendable {
    let table: ComparedTable
    let source: TableSide
    let target: TableSide
    /// The values that tenants have in their column, where the table has it.
    let tenants: (column: String, values: Set<ByteBuffer>)?

    func side(_ side: Side) -> TableSide { side == .source ? self.source : self.target }

    /// Columns whose elements' times at least one cluster does not tell, so that they are not compared.
    var untold: [String] {
        Set(self.source.prepared.select.untold + self.target.prepared.select.untold).sorted()
    }

    /// Opens a table.
    ///
    /// - Throws: ``CompareError`` that names the table and what is wrong with it; `CQLSessionError` where a cluster does not say.
    static func open(
        _ name: TableName,
        leavingOut: Set<String>,
        tenants: TenantFilter?,
        rules: ComparisonRules,
        source: CQLSession,
        target: CQLSession
    ) async throws -> TablePair {
        let one = try await Self.describe(name, .source, leavingOut, source)
        let other = try await Self.describe(name, .target, leavingOut, target)
        try Self.check(name, one, other)
        let sides = (
            try await TableSide(one, on: source, rules), try await TableSide(other, on: target, rules)
        )
        let (compared, otherCompared) = (sides.0.compared(), sides.1.compared())
        for (column, other) in zip(
            compared.partitionKey + compared.clustering + compared.columns,
            otherCompared.partitionKey + otherCompared.clustering + otherCompared.columns
        ) where column.plainType != other.plainType || column.storage != other.storage {
            throw CompareError(
                .table,
                "\(name): column \(column.name) is \(Self.text(column)) on the source and \(Self.text(other)) on the target"
            )
        }
        var wanted: (column: String, values: Set<ByteBuffer>)?
        let all = compared.partitionKey + compared.clustering + compared.columns
        if let tenants, let column = all.first(where: { $0.name == tenants.column }) {
            wanted = (column.name, try tenants.bytes(as: column.plainType, in: "\(name)"))
        }
        return TablePair(table: compared, source: sides.0, target: sides.1, tenants: wanted)
    }

    private static func text(_ column: ComparedTable.Column) -> String {
        switch (column.storage, column.plainType) {
        case (.cell, .list), (.cell, .set), (.cell, .map), (.cell, .udt): "frozen<\(column.plainType)>"
        default: "\(column.plainType)"
        }
    }

    static func describe(
        _ name: TableName,
        _ side: Side,
        _ leavingOut: Set<String>,
        _ session: CQLSession
    ) async throws -> LiveTable {
        do {
            var table = try await LiveTable.read(keyspace: name.keyspace, name: name.table, from: session)
            table.columns.removeAll { leavingOut.contains($0.name) }
            return table
        } catch let error as LiveReadError where error.code == .noTable {
            throw CompareError(.table, "the \(side.rawValue) has no table \(name)")
        } catch let error as LiveReadError {
            throw CompareError(.table, "\(name) on the \(side.rawValue): \(error.description)")
        }
    }

    private static func check(_ name: TableName, _ source: LiveTable, _ target: LiveTable) throws {
        func key(_ table: LiveTable) -> String {
            "((\(table.partitionKey.joined(separator: ", ")))"
                + table.clustering.map { ", \($0.name)\($0.isReversed ? " DESC" : "")" }.joined() + ")"
        }
        guard key(source) == key(target) else {
            throw CompareError(
                .table,
                "\(name): the primary key is \(key(source)) on the source and \(key(target)) on the target"
            )
        }
        let (own, other) = (Set(source.columns.map(\.name)), Set(target.columns.map(\.name)))
        for (missing, side) in [(own.subtracting(other), Side.target), (other.subtracting(own), .source)]
        where !missing.isEmpty {
            throw CompareError(
                .table,
                "\(name): the \(side.rawValue) has no column \(missing.sorted().joined(separator: ", ")); "
                    + "add it, or leave it out (columns.exclude)"
            )
        }
        let statics = { (table: LiveTable) in Set(table.columns.filter(\.isStatic).map(\.name)) }
        guard let odd = statics(source).symmetricDifference(statics(target)).min() else { return }
        throw CompareError(.table, "\(name): column \(odd) is static on one side alone")
    }
}
