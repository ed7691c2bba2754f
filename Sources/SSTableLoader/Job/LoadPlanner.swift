import CQLClient
import CQLProtocol
import LiveTables
import NIOCore
import SSTable
import TokenRanges

/// Makes plans: finds the tables, opens each, and cuts it into parts. It writes nothing anywhere.
struct LoadPlanner: Sendable {
    /// A plan, its parts, and what lies on disk.
    struct Made: Sendable {
        var plan: LoadPlan
        var parts: [JobPart] = []
        var folders: [TableName: SSTableFolder.Table] = [:]
    }

    private let settings: LoadSettings
    private let source: CQLSession?
    private let target: CQLSession

    init(_ settings: LoadSettings, source: CQLSession?, target: CQLSession) {
        self.settings = settings
        self.source = source
        self.target = target
    }

    /// - Throws: where the source as a whole cannot be read, or a cluster does not answer. What is wrong with single tables is in
    ///   the plan.
    func made() async throws -> Made {
        var made = Made(plan: self.empty)
        switch self.settings.source {
        case .files(let paths, let places): try await self.addFiles(paths, places, to: &made)
        case .cluster:
            guard let source else { break }
            try await self.addLive(source, to: &made)
        }
        if let rate = self.settings.rates.bytesPerSecond, let bytes = made.plan.bytes, rate > 0 {
            made.plan.secondsMin = Double(bytes) / rate
        }
        return made
    }

    private var empty: LoadPlan {
        var care: [String] = []
        if self.settings.ceiling == nil {
            care.append(
                "there is no ceiling: what has been deleted on the target since a row was read may come back; give the "
                    + "moment at which dual writing was proven active"
            )
        }
        let points = { (cluster: ClusterConfiguration) in
            cluster.contactPoints.map(\.description).joined(separator: ", ")
        }
        let source: String
        switch self.settings.source {
        case .files(let paths, let places):
            source = "SSTables under \(paths.joined(separator: ", "))"
            if places.contains(.live) {
                care.append(
                    "where a server is at work in a folder its files go away while they are read: load a snapshot"
                )
            }
        case .cluster(let cluster):
            source = "cluster \(points(cluster))"
            if self.settings.markers == .always {
                care.append(
                    "markers of rows are not told by any cluster; each row is written with one, as INSERT does. For tables "
                        + "written by UPDATE alone say `markers: without_cells`"
                )
            }
        }
        var plan = LoadPlan(job: self.settings.job, source: source, target: "cluster \(points(self.settings.target))")
        plan.ceiling = self.settings.ceiling
        plan.care = care
        return plan
    }

    // MARK: Files

    private func addFiles(_ paths: [String], _ places: [SSTableFolder.Place], to made: inout Made) async throws {
        let folder = try SSTableFolder(paths, places: places)
        made.plan.problems = folder.problems.map { LoadPlan.Notice(what: $0.path, reason: $0.reason) }
        made.plan.leftOut = folder.leftOut.map { LoadPlan.Notice(what: $0.path, reason: $0.reason) }
        for table in folder.tables {
            let name = TableName(keyspace: table.keyspace, table: table.name)
            guard self.isWanted(name, &made.plan) else { continue }
            made.folders[name] = table
        }
        let opener = TableOpener(settings: self.settings, source: nil, target: self.target, folders: made.folders)
        for (name, folder) in made.folders.sorted(by: { $0.key < $1.key }) {
            var table = LoadPlan.Table(
                keyspace: name.keyspace,
                table: name.table,
                sstables: folder.tables.count,
                parts: 1
            )
            table.bytes = folder.dataBytes
            var hasTokens = false
            do {
                // Apart from the target: what the source has is worth knowing, whatever the target says.
                let source = try SSTableSource(folder.tables)
                (table.bytes, table.rows, hasTokens) = (source.dataBytes, source.rows, source.hasTokens)
                if !hasTokens {
                    table.care.append("its SSTables are not in the order of Murmur3 tokens: it is one part")
                }
                table.care += self.care(try await opener.open(name))
            } catch {
                table.failure = try Self.reason(error)
            }
            let bytes = table.bytes ?? 0
            let estimate = SizeEstimate(start: .min, end: .max, meanPartitionBytes: bytes, partitionCount: 1)
            // A small table is not worth the handling of many parts; a larger one should keep all hands busy.
            let isLarge = bytes >= Self.smallTableBytes
            let limits = RangePlan.Limits(
                bytesPerRange: self.settings.bytesPerPart,
                rangesMin: isLarge ? self.settings.runner.concurrency : 1
            )
            let ranges =
                hasTokens
                ? RangePlan.ranges(ring: Ring(tokens: [] as [Int64]), estimates: [estimate], limits: limits)
                : [PlannedRange(.ring, expectedBytes: bytes)]
            Self.add(table, ranges, to: &made)
        }
    }

    private static var smallTableBytes: Int64 { 1 << 20 }

    // MARK: A live source

    private func addLive(_ session: CQLSession, to made: inout Made) async throws {
        let ring = try await Ring.read(session)
        let names = try await Self.names("tables", "table_name", session)
        for view in try await Self.names("views", "view_name", session) where self.settings.tables.wants(view) {
            let reason = "is a materialized view, which the target fills by itself"
            made.plan.leftOut.append(LoadPlan.Notice(what: view.description, reason: reason))
        }
        let opener = TableOpener(settings: self.settings, source: session, target: self.target, folders: [:])
        for name in names where !SSTableFolder.systemKeyspaces.contains(name.keyspace) {
            guard self.isWanted(name, &made.plan) else { continue }
            if name.table.hasSuffix("_scylla_cdc_log") {
                let reason = "is a log of changes that ScyllaDB keeps by itself"
                made.plan.leftOut.append(LoadPlan.Notice(what: name.description, reason: reason))
                continue
            }
            var table = LoadPlan.Table(keyspace: name.keyspace, table: name.table, parts: 0)
            do {
                table.care = self.care(try await opener.open(name))
            } catch {
                table.failure = try Self.reason(error)
            }
            let estimates = try await SizeEstimate.read(name, of: ring, session)
            let limits = RangePlan.Limits(bytesPerRange: self.settings.bytesPerPart, joinsSmall: true)
            let ranges = RangePlan.ranges(ring: ring, estimates: estimates, limits: limits)
            table.bytes = ranges.reduce(0 as Int64?) { sum, range in
                guard let sum, let bytes = range.expectedBytes else { return nil }
                let (total, isOverflow) = sum.addingReportingOverflow(bytes)
                return isOverflow ? .max : total
            }
            if table.bytes == nil { table.care.append("the source does not tell its size yet") }
            Self.add(table, ranges, to: &made)
        }
    }

    private static func names(_ kind: String, _ column: String, _ session: CQLSession) async throws -> [TableName] {
        let statement = try await session.prepare(
            "SELECT keyspace_name, \(column) FROM system_schema.\(kind)",
            isIdempotent: true
        )
        var names: [TableName] = []
        for try await page in session.pages(statement, pageSize: 1_000, consistency: .localOne) {
            for row in page {
                guard case .text(let keyspace) = try row.value("keyspace_name"),
                    case .text(let name) = try row.value(column)
                else { continue }
                names.append(TableName(keyspace: keyspace, table: name))
            }
        }
        return names.sorted()
    }

    // MARK: Both

    private func isWanted(_ name: TableName, _ plan: inout LoadPlan) -> Bool {
        if self.settings.tables.wants(name) { return true }
        plan.leftOut.append(LoadPlan.Notice(what: name.description, reason: "is not among the tables that are wanted"))
        return false
    }

    private static func add(_ table: LoadPlan.Table, _ ranges: [PlannedRange], to made: inout Made) {
        var table = table
        table.parts = ranges.count
        made.plan.tables.append(table)
        made.parts += ranges.map { JobPart(table: table.name, range: $0.range, expectedBytes: $0.expectedBytes) }
    }

    /// What an operator should know of a table.
    private func care(_ table: LoadTable) -> [String] {
        var care: [String] = []
        let names = { (names: [String]) in names.joined(separator: ", ") }
        if !table.target.hasListIndexes, !table.lists.isEmpty {
            care.append(
                "lists are written as a whole, with the time of their newest element, as the target does not take the places "
                    + "of their elements: \(names(table.lists))"
            )
        }
        if case .live(let prepared) = table.source {
            let untold = prepared.select.untold
            if !untold.isEmpty {
                care.append("the source does not tell the times of \(names(untold)); they get one by the rule")
            }
            if prepared.select.table.isCounter {
                care.append(
                    "counters: what the source has above the target is added, which is right only while nothing writes them "
                        + "on either side"
                )
            }
        }
        if let without = self.settings.leavingOut[table.name], !without.isEmpty {
            care.append("columns are left out: \(names(without.sorted()))")
        }
        return care
    }

    /// Why a table cannot be loaded; throws what is the matter with more than the table.
    private static func reason(_ error: any Error) throws -> String {
        switch error {
        case let error as PartFailure: return error.reason
        case let error as CQLSessionError where error.code == .refused: return error.description
        case is SSTableError, is TargetTableError, is LiveReadError: return "\(error)"
        default: throw error
        }
    }
}
