import CQLClient
import CQLProtocol
import LiveTables
import NIOCore
import SSTable
import TokenRanges

/// A table with all that loading a part of it needs. Parts share it.
struct LoadTable: Sendable {
    enum Source: Sendable {
        case files(SSTableSource)
        case live(LiveSelect.Prepared)
    }

    let name: TableName
    let source: Source
    var target: TargetTable
    /// The types of the parts of the partition key.
    let keyTypes: [DataType]

    /// Columns that are lists of single cells.
    var lists: [String] {
        switch self.source {
        case .files(let source):
            return (source.columns.statics + source.columns.regulars).compactMap { column in
                guard column.type.isMultiCell, case .list = column.type.dataType else { return nil }
                return self.target.columns.contains(column.name) ? column.name : nil
            }
        case .live(let prepared):
            return prepared.select.table.columns.filter { $0.storage == .list && self.target.columns.contains($0.name) }
                .map(\.name)
        }
    }
}

/// Opens tables: finds out what the source has of them, and whether the target takes it.
struct TableOpener: Sendable {
    let settings: LoadSettings
    /// The session with a live source; nil for files.
    let source: CQLSession?
    let target: CQLSession
    /// What lies on disk, by table; empty for a live source.
    let folders: [TableName: SSTableFolder.Table]

    /// Opens a table.
    ///
    /// - Throws: ``SSTableError``, ``TargetTableError``, ``LiveReadError``, ``PartFailure`` where it cannot be loaded;
    ///   ``CQLSessionError`` where a cluster does not say.
    func open(_ name: TableName) async throws -> LoadTable {
        var table = try await self.read(name)
        switch self.settings.lists {
        case .places: break
        case .whole: table.target.hasListIndexes = false
        case .refuse:
            guard table.lists.isEmpty else {
                let names = table.lists.joined(separator: ", ")
                throw PartFailure.fatal("\(name) has lists (\(names)), which this job is not to load")
            }
        }
        return table
    }

    private func read(_ name: TableName) async throws -> LoadTable {
        let leavingOut = self.settings.leavingOut[name] ?? []
        switch self.settings.source {
        case .files:
            guard let folder = self.folders[name] else {
                throw PartFailure.retry("this worker does not find the SSTables of \(name) under its paths")
            }
            let source = try SSTableSource(folder.tables)
            try await source.check()
            let columns = source.columns
            guard !(columns.statics + columns.regulars).contains(where: { $0.type.dataType == .counter }) else {
                throw PartFailure.fatal(Self.counterFiles(name))
            }
            let table = try await TargetTable.read(
                keyspace: name.keyspace,
                name: name.table,
                for: columns,
                leavingOut: leavingOut,
                from: self.target
            )
            return LoadTable(
                name: name,
                source: .files(source),
                target: table,
                keyTypes: columns.partitionKey.map(\.dataType)
            )
        case .cluster:
            guard let session = self.source else { throw PartFailure.retry("there is no session with the source") }
            let live = try await LiveTable.read(keyspace: name.keyspace, name: name.table, from: session)
            let table = try await TargetTable.read(
                for: live,
                from: session,
                leavingOut: leavingOut,
                on: self.target
            )
            let prepared = try await LiveSelect.prepare(
                live,
                on: session,
                readsCounters: self.settings.copiesCounters,
                asksByKey: self.settings.asksByKey
            )
            // Keys come first in what is selected.
            let types = prepared.statement.columns.columns.prefix(live.partitionKey.count).map(\.type)
            return LoadTable(name: name, source: .live(prepared), target: table, keyTypes: types)
        }
    }

    private static func counterFiles(_ name: TableName) -> String {
        "\(name) is a table of counters, whose values in SSTables no statement can write: load it from the live source, with "
            + "the option for counters"
    }
}

/// The tables that a worker has open.
actor OpenTables {
    private let opener: TableOpener
    private let tablesMax: Int
    /// The one that was used last stands at the end.
    private var open: [LoadTable] = []

    /// - Parameter tablesMax: how many stay open while they are not used: each has its SSTables' files.
    init(_ opener: TableOpener, tablesMax: Int) {
        self.opener = opener
        self.tablesMax = max(1, tablesMax)
    }

    /// A table; one that could not be opened is tried anew each time, as somebody may have mended it.
    func table(_ name: TableName) async throws -> LoadTable {
        if let known = self.open.first(where: { $0.name == name }) {
            self.use(known)
            return known
        }
        let table = try await self.opener.open(name)
        self.use(table)
        return table
    }

    /// A table that is to be opened anew: its schema may have changed.
    func forget(_ name: TableName) { self.open.removeAll { $0.name == name } }

    private func use(_ table: LoadTable) {
        self.open.removeAll { $0.name == table.name }
        self.open.append(table)
        if self.open.count > self.tablesMax { self.open.removeFirst() }
    }
}
