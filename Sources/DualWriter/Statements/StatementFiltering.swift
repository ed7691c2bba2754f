import CQLSyntax
import DualWriteCore

/// How the filter decides about executions of a prepared statement, without a look at more than is needed.
enum StatementFiltering {
    /// Always alike.
    case decided(ShadowFilter.Decision)
    /// By the tenant whose row is written.
    case byTenant(TenantPlan)

    /// The shadow gets all of it.
    static var wanted: StatementFiltering { .decided(.whole) }

    /// Nil where the whole request must be looked at: for a batch.
    init?(_ statement: WriteStatement, _ filter: ShadowFilter, schema: SchemaShapes?) {
        guard statement.analysis.kind != .batch else { return nil }
        if filter.tables.share(of: statement.analysis, keyspace: statement.keyspace) == .nothing {
            self = .decided(.unwantedTable)
            return
        }
        guard !filter.tenants.isOpen else {
            self = .wanted
            return
        }
        let plan = TenantPlan(statement, rules: filter.tenants, schema: schema)
        self = plan.constant.map { .decided(.init($0)) } ?? .byTenant(plan)
    }
}
