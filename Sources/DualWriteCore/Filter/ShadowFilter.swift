public import CQLProtocol
import CQLSyntax

/// What is wanted on the shadow: by table, and by the tenant whose row is written. Both must want it.
public struct ShadowFilter: Sendable, Hashable {
    /// By table.
    public var tables: TableFilter
    /// By tenant.
    public var tenants: TenantRules

    /// Everything is wanted.
    public static var all: ShadowFilter { ShadowFilter(tables: .all, tenants: .all) }

    /// A filter of both kinds.
    public init(tables: TableFilter, tenants: TenantRules = .all) {
        self.tables = tables
        self.tenants = tenants
    }

    /// Whether it lets everything through.
    public var isOpen: Bool { self.tables.isOpen && self.tenants.isOpen }

    /// What of a request is wanted, and what decided.
    public struct Decision: Sendable, Hashable {
        /// How much the shadow gets.
        public var share: ShadowShare
        /// Writes that it does not get because of their table.
        public var byTable: Int
        /// Writes that it does not get because of their tenant.
        public var byTenant: Int
        /// Writes that it gets because they do not say whose rows they write.
        public var untold: Int

        /// A decision of known parts.
        public init(share: ShadowShare, byTable: Int = 0, byTenant: Int = 0, untold: Int = 0) {
            self.share = share
            self.byTable = byTable
            self.byTenant = byTenant
            self.untold = untold
        }

        /// All of it is wanted.
        public static var whole: Decision { Decision(share: .whole) }
        /// The one write's table is not wanted.
        public static var unwantedTable: Decision { Decision(share: .nothing, byTable: 1) }
    }

    /// Decides about a QUERY, EXECUTE or BATCH.
    ///
    /// - Parameters:
    ///   - statements: one for a QUERY or EXECUTE, one for each child of a BATCH.
    ///   - schema: of the primary.
    ///   - place: where the tables' modes count as well; nil where all tables have one mode.
    public func decision(
        of request: Request,
        _ statements: [WriteStatement],
        schema: SchemaShapes?,
        in place: ShadowPlace? = nil
    ) -> Decision {
        guard !self.isOpen || place != nil, let first = statements.first else { return .whole }
        switch request {
        case .query(let query):
            return self.decision(of: first, query.parameters.values, schema, place)
        case .execute(let execute):
            return self.decision(of: first, execute.parameters.values, schema, place)
        case .batch(let batch):
            var decision = Decision.whole
            let wanted = zip(batch.children, statements).map { child, statement in
                let part = self.decision(of: statement, .positional(child.values), schema, place)
                decision.add(part)
                return part.share != .nothing
            }
            decision.share = ShadowShare(of: wanted)
            return decision
        case .startup, .authResponse, .options, .prepare, .register:
            return .whole
        }
    }

    private func decision(
        of statement: WriteStatement,
        _ values: QueryValues,
        _ schema: SchemaShapes?,
        _ place: ShadowPlace?
    ) -> Decision {
        let writes = statement.writes
        let isBatch = statement.analysis.kind == .batch
        var verdicts: [TenantPlan.Verdict] = []
        if !self.tenants.isOpen {
            verdicts = TenantPlan(statement, rules: self.tenants, schema: schema).verdicts(values)
        }
        var decision = Decision.whole
        let wanted = writes.enumerated().map { index, analysis in
            switch place?.claim(on: analysis, keyspace: statement.keyspace) {
            case .primary: return true
            case .nothing: return false
            case .shadow, nil: break
            }
            let byTable = self.tables.share(of: analysis, keyspace: statement.keyspace) != .nothing
            let verdict = verdicts.indices.contains(index) ? verdicts[index] : .wanted
            if !byTable { decision.byTable += 1 } else { decision.count(verdict) }
            return byTable && verdict != .unwanted
        }
        decision.share = isBatch ? ShadowShare(of: wanted) : wanted.allSatisfy { $0 } ? .whole : .nothing
        return decision
    }
}

extension ShadowFilter.Decision {
    /// What a tenant's verdict makes of a statement whose table is wanted.
    public init(_ verdict: TenantPlan.Verdict) {
        self.init(share: verdict == .unwanted ? .nothing : .whole)
        self.count(verdict)
    }

    fileprivate mutating func count(_ verdict: TenantPlan.Verdict) {
        switch verdict {
        case .wanted: break
        case .unwanted: self.byTenant += 1
        case .untold: self.untold += 1
        }
    }

    fileprivate mutating func add(_ other: Self) {
        self.byTable += other.byTable
        self.byTenant += other.byTenant
        self.untold += other.untold
    }
}
