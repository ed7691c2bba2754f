public import CQLSyntax

/// The sidecar's mode together with the modes that some tables have of their own.
public struct TableModes: Sendable, Hashable {
    /// The sidecar's.
    public var stage: ModeStage
    /// The tables'.
    public var overrides: ModeOverrides

    /// Modes of known parts.
    public init(_ stage: ModeStage, _ overrides: ModeOverrides) {
        self.stage = stage
        self.overrides = overrides
    }

    /// Whether both give every table the same mode, as far as their lists show it.
    public func agreesOnTables(with other: TableModes) -> Bool {
        self.stage == other.stage && self.overrides.ofTables == other.overrides.ofTables
    }

    /// All modes of tables in force, the sidecar's first, each once. Tenants that go ahead add nothing to them.
    public var stages: [ModeStage] {
        self.overrides.ofTables.reduce(into: [self.stage]) { if !$0.contains($1.stage) { $0.append($1.stage) } }
    }

    /// Whether some table cannot do without a cluster.
    public func needs(_ cluster: Cluster) -> Bool { self.stages.contains { $0.mode.needs(cluster) } }

    /// The clusters without which some request of clients fails, the sidecar's primary first.
    public var neededByClients: [Cluster] {
        self.stages.flatMap { $0.neededByClients }.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }

    /// The mode of a table.
    public func stage(keyspace: String?, table: String?) -> ModeStage {
        self.overrides.stage(keyspace: keyspace, table: table) ?? self.stage
    }

    /// The mode by which a statement goes. What is about no one table of applications goes by the sidecar's.
    ///
    /// - Parameter keyspace: for names without one.
    public func mode(of analysis: StatementAnalysis, _ kind: RequestKind, keyspace: String?) -> RequestMode {
        guard kind.isAboutTables else { return .one(self.stage) }
        guard analysis.kind == .batch else {
            return .one(self.stage(keyspace: analysis.keyspace ?? keyspace, table: analysis.table))
        }
        return RequestMode(of: analysis.children.map { self.part($0, keyspace: keyspace) }, in: self.stage)
    }

    /// The table and the mode of one write of a batch.
    public func part(_ analysis: StatementAnalysis, keyspace: String?) -> RequestMode.Part {
        let keyspace = analysis.keyspace ?? keyspace
        return RequestMode.Part(
            table: TableName(keyspace: keyspace ?? "", table: analysis.table),
            stage: self.stage(keyspace: keyspace, table: analysis.table)
        )
    }
}

extension ModeStage {
    /// The clusters without which requests of clients fail.
    public var neededByClients: [Cluster] {
        let primary = self.mode.primary
        return self.mode.isJoin ? [primary, primary.other] : [primary]
    }

    /// Whether a read says something about what the shadow has.
    public var comparesReads: Bool { self.mode.shadow != nil && self.reads == self.mode.primary }
}

extension RequestKind {
    /// Whether a request of this kind goes by the modes of the tables that it names.
    public var isAboutTables: Bool {
        switch self {
        case .read, .plainWrite, .conditional, .counterWrite, .nonIdempotentWrite, .truncate: true
        case .schemaChange, .access, .virtualTable, .systemRead, .systemWrite, .use, .notUnderstood: false
        }
    }
}
