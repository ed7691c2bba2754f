public import CQLSyntax

/// Which tenants of which tables go ahead, ready to be asked about statements.
///
/// Made once per list of overrides and filter: each value by the bytes of every type that its column may have.
public struct CanaryRules: Sendable {
    private struct Entry: Sendable {
        let tables: TableFilter.Pattern
        let column: String
        /// By the column's type.
        let values: [NativeType: CanaryValues]
        /// Of these the ones whose rows the filter lets through, where it goes by this column.
        let wanted: [NativeType: CanaryValues]
    }

    private let entries: [Entry]
    /// The places of those that name one table, by keyspace and table.
    private let exact: [String: [String: [Int]]]
    /// The places of the others.
    private let broad: [Int]
    private let filter: ShadowFilter

    /// Nil where no tenant goes ahead.
    ///
    /// - Parameter filter: what it holds back is not on the target, and is never read there.
    public init?(_ overrides: ModeOverrides, filter: ShadowFilter) {
        guard overrides.hasCanaries else { return nil }
        self.filter = filter
        self.entries = overrides.canaries.compactMap { override in
            override.tenants.map { Self.entry(override.tables, $0, filter.tenants) }
        }
        var (exact, broad): ([String: [String: [Int]]], [Int]) = ([:], [])
        for (place, entry) in self.entries.enumerated() {
            if let (keyspace, table) = entry.tables.exactTable {
                exact[keyspace, default: [:]][table, default: []].append(place)
            } else {
                broad.append(place)
            }
        }
        (self.exact, self.broad) = (exact, broad)
    }

    private static func entry(_ tables: TableFilter.Pattern, _ tenants: CanaryTenants, _ rules: TenantRules) -> Entry {
        var (values, wanted): ([NativeType: CanaryValues], [NativeType: CanaryValues]) = ([:], [:])
        for type in NativeType.allCases {
            let bytes = tenants.values.compactMap { LiteralEncoding.bytes(ofValue: $0, as: type) }
            guard !bytes.isEmpty else { continue }
            values[type] = CanaryValues(bytes)
            guard rules.columns.contains(tenants.column) else { continue }
            let passing = rules.values(of: type.rawValue)
            wanted[type] = CanaryValues(bytes.filter { passing.want($0) })
        }
        return Entry(tables: tables, column: tenants.column, values: values, wanted: wanted)
    }

    /// Which executions of a SELECT are of a tenant that goes ahead; nil where none can be.
    ///
    /// - Parameters:
    ///   - keyspace: for names without one.
    ///   - schema: of the primary; nil where nobody knows it, and then no tenant is told.
    public func plan(_ analysis: StatementAnalysis, keyspace: String?, schema: SchemaShapes?) -> CanaryPlan? {
        guard let keyspace = analysis.keyspace ?? keyspace, let table = analysis.table,
            let selection = analysis.selection
        else { return nil }
        let places =
            (self.exact[keyspace]?[table] ?? [])
            + self.broad.filter {
                self.entries[$0].tables.matches(keyspace, table)
            }
        guard !places.isEmpty, let shape = schema?.table(keyspace, table),
            self.filter.tables.wants(keyspace: keyspace, table: table)
        else { return nil }
        let held = self.filter.tenants.isOpen ? nil : self.filter.tenants.column(of: shape)
        var plan = CanaryPlan(markers: analysis.markers)
        for entry in places.map({ self.entries[$0] }) {
            // Whom the filter holds back by another column, a read of this tenant does not say.
            guard held == nil || held == entry.column, let type = shape.types[entry.column],
                let values = NativeType(type).flatMap({ held == nil ? entry.values[$0] : entry.wanted[$0] })
            else { continue }
            plan.add(selection, entry.column, type, values)
        }
        return plan.isEmpty ? nil : plan
    }
}
