import CQLClient
import CQLProtocol
public import TokenRanges

/// What a comparison is about: the tables and why some of them cannot be compared.
public struct ComparePlan: Sendable, Hashable {
    /// A table that is wanted and cannot be compared.
    public struct Refusal: Sendable, Hashable {
        /// The table.
        public let table: TableName
        /// Why, and what to do.
        public let reason: String
    }

    /// The tables that are compared, by name.
    public internal(set) var tables: [ComparedTable] = []
    /// Columns whose elements' times at least one cluster does not tell: of them values alone are compared. By table.
    public internal(set) var untoldTimes: [TableName: [String]] = [:]
    /// Tables that are wanted and cannot be compared.
    public internal(set) var refusals: [Refusal] = []
}

/// Makes plans. It writes nothing anywhere.
struct ComparePlanner: Sendable {
    struct Made: Sendable {
        var plan = ComparePlan()
        var pairs: [TableName: TablePair] = [:]
        var parts: [JobPart] = []
    }

    let settings: CompareSettings
    let source: CQLSession
    let target: CQLSession

    /// - Throws: ``CompareError`` where a cluster's tokens cannot be compared or no table is wanted; `CQLSessionError` where a
    ///   cluster does not answer.
    func made() async throws -> Made {
        let ring = try await self.ring(.source, self.source)
        _ = try await self.ring(.target, self.target)
        let own = try await Self.tables(self.source)
        let other = try await Self.tables(self.target)
        var made = Made()
        for name in own.union(other).sorted() where self.settings.tables.wants(name) {
            do {
                let pair = try await self.open(name)
                made.pairs[name] = pair
                made.plan.tables.append(pair.table)
                if !pair.untold.isEmpty { made.plan.untoldTimes[name] = pair.untold }
            } catch let error as CompareError {
                made.plan.refusals.append(.init(table: name, reason: error.description))
                continue
            } catch let error as CQLSessionError where error.serverError?.code == .invalid {
                made.plan.refusals.append(.init(table: name, reason: "\(name) cannot be read: \(error)"))
                continue
            }
            guard self.settings.scope == .everything else { continue }
            let estimates = try await SizeEstimate.read(name, of: ring, self.source)
            let limits = RangePlan.Limits(bytesPerRange: self.settings.bytesPerPart, joinsSmall: true)
            let ranges = RangePlan.ranges(ring: ring, estimates: estimates, limits: limits)
            let wanted = self.settings.ranges.isEmpty ? [TokenRange.ring] : self.settings.ranges.sorted()
            for planned in ranges {
                for range in wanted.compactMap({ planned.range.intersection($0) }) {
                    let share = Double(range.tokenCount) / Double(planned.range.tokenCount)
                    let bytes = planned.expectedBytes.flatMap { Int64(exactly: (Double($0) * share).rounded()) }
                    made.parts.append(JobPart(table: name, range: range, expectedBytes: bytes))
                }
            }
        }
        guard !made.pairs.isEmpty || !made.plan.refusals.isEmpty else {
            throw CompareError(.nothingToCompare, "no table of either cluster is wanted")
        }
        return made
    }

    func open(_ name: TableName) async throws -> TablePair {
        try await TablePair.open(
            name,
            leavingOut: self.settings.leavingOut[name] ?? [],
            tenants: self.settings.tenants,
            rules: self.settings.rules,
            source: self.source,
            target: self.target
        )
    }

    private func ring(_ side: Side, _ session: CQLSession) async throws -> Ring {
        do {
            return try await Ring.read(session)
        } catch let error as TokenRangesError {
            throw CompareError(.partitioner, "the \(side.rawValue) cannot be compared by tokens: \(error.description)")
        }
    }

    /// Keyspaces that servers keep for themselves, or that we do.
    private static func isOfServers(_ keyspace: String) -> Bool {
        keyspace == "system" || keyspace.hasPrefix("system_") || keyspace == "cluster_sync"
            || keyspace == "OpsCenter" || keyspace.hasPrefix("dse_")
    }

    /// The tables of a cluster but those of the servers: views are filled by their tables, and logs of changes by themselves.
    private static func tables(_ session: CQLSession) async throws -> Set<TableName> {
        let statement = try await session.prepare(
            "SELECT keyspace_name, table_name FROM system_schema.tables",
            isIdempotent: true
        )
        var names: Set<TableName> = []
        for try await page in session.pages(statement, pageSize: 1_000, consistency: .localOne) {
            for row in page {
                guard case .text(let keyspace) = try row.value("keyspace_name"),
                    case .text(let name) = try row.value("table_name"),
                    !Self.isOfServers(keyspace), !name.hasSuffix("_scylla_cdc_log")
                else { continue }
                names.insert(TableName(keyspace: keyspace, table: name))
            }
        }
        return names
    }
}
