public import CQLSyntax

/// What a request is for routing: the rows of the table in DESIGN §5. The numbers stand in journals.
public enum RequestKind: UInt8, Sendable, Hashable, CaseIterable {
    /// SELECT on an application's table.
    case read = 0
    /// INSERT, UPDATE, DELETE or a batch of them that may be repeated under one timestamp.
    case plainWrite = 1
    /// A write with an `IF` clause, alone or in a batch.
    case conditional = 2
    /// Counters: must not run twice, in whatever order they run.
    case counterWrite = 3
    /// List appends and whatever else must not run twice; and not in another order.
    case nonIdempotentWrite = 4
    /// TRUNCATE.
    case truncate = 5
    /// A schema change.
    case schemaChange = 6
    /// Roles, users and permissions.
    case access = 7
    /// `system.local`, `system.peers`, `system.peers_v2`: described by the proxy itself.
    case virtualTable = 8
    /// Any other read of a `system` keyspace, LIST and DESCRIBE.
    case systemRead = 9
    /// A write to the server's own tables, which are about this cluster and no other.
    case systemWrite = 10
    /// USE.
    case use = 11
    /// A text that was not understood: goes the way of a plain write that is never repeated.
    case notUnderstood = 12

    /// The name in documents.
    public var name: String {
        switch self {
        case .read: "read"
        case .plainWrite: "write"
        case .conditional: "conditional"
        case .counterWrite: "counter"
        case .nonIdempotentWrite: "ordered_write"
        case .truncate: "truncate"
        case .schemaChange: "schema_change"
        case .access: "access"
        case .virtualTable: "virtual_table"
        case .systemRead: "system_read"
        case .systemWrite: "system_write"
        case .use: "use"
        case .notUnderstood: "not_understood"
        }
    }

    /// Whether the request may change data, schema or rights.
    public var isWrite: Bool {
        switch self {
        case .plainWrite, .conditional, .counterWrite, .nonIdempotentWrite, .truncate, .schemaChange, .access,
            .notUnderstood, .systemWrite:
            true
        case .read, .virtualTable, .systemRead, .use: false
        }
    }

    /// Whether it acts on what is there when it runs, whatever the timestamps: what came before it must be there, what came
    /// after it must not.
    public var isFence: Bool { self == .truncate || self == .schemaChange || self == .access }

    /// Whether two of them must run in the order in which they were acknowledged.
    public var isOrdered: Bool { self == .nonIdempotentWrite || self == .notUnderstood }

    /// The kind of an analysed statement.
    ///
    /// - Parameters:
    ///   - analysis: of the statement's text.
    ///   - keyspace: the one that the client's connection uses, for names without one.
    ///   - schema: of the primary; nil where the cluster does not tell it, and then only the text counts.
    public init(_ analysis: StatementAnalysis, keyspace: String?, schema: SchemaShapes? = nil) {
        switch analysis.kind {
        case .select:
            self = Self.read(keyspace: analysis.keyspace ?? keyspace, table: analysis.table)
        case .insert, .update, .delete, .batch:
            if Self.isSystem(analysis.keyspace ?? keyspace) {
                self = .systemWrite
            } else if analysis.hasConditions {
                self = .conditional
            } else {
                self = Self.write(analysis, keyspace, schema)
            }
        case .truncate: self = Self.isSystem(analysis.keyspace ?? keyspace) ? .systemWrite : .truncate
        case .use: self = .use
        case .ddl: self = .schemaChange
        case .roleOrPermission: self = .access
        case .list, .describe: self = .systemRead
        case .unknown: self = .notUnderstood
        }
    }

    private static func write(_ analysis: StatementAnalysis, _ keyspace: String?, _ schema: SchemaShapes?) -> Self {
        guard let schema else { return analysis.isIdempotent ? .plainWrite : .nonIdempotentWrite }
        func table(_ named: String?, _ name: String?) -> TableShape? { schema.table(named ?? keyspace, name) }
        if analysis.isIdempotent(in: table) { return .plainWrite }
        return analysis.isCounterUpdate(in: table) ? .counterWrite : .nonIdempotentWrite
    }

    private static func read(keyspace: String?, table: String?) -> Self {
        guard let keyspace else { return .read }
        if keyspace == "system", let table, ["local", "peers", "peers_v2"].contains(table) { return .virtualTable }
        return Self.isSystem(keyspace) ? .systemRead : .read
    }

    /// `cluster_sync` and an application's `systems` are ordinary: only these are the server's own.
    static func isSystem(_ keyspace: String?) -> Bool {
        keyspace.map { $0 == "system" || $0.hasPrefix("system_") } ?? false
    }

    /// The kind of a protocol BATCH whose children have the given kinds.
    ///
    /// - Parameter isCounter: the frame's type is `counter`.
    /// - Returns: nil where a child cannot be in a batch.
    public static func batch(of children: some Sequence<RequestKind>, isCounter: Bool) -> RequestKind? {
        var kind: RequestKind = isCounter ? .counterWrite : .plainWrite
        for child in children {
            switch child {
            case .conditional: kind = .conditional
            case .nonIdempotentWrite where !isCounter, .notUnderstood:
                if kind != .conditional { kind = .nonIdempotentWrite }
            case .counterWrite: if kind == .plainWrite { kind = .counterWrite }
            case .plainWrite, .nonIdempotentWrite: break
            case .systemWrite: return .systemWrite
            case .read, .truncate, .schemaChange, .access, .virtualTable, .systemRead, .use: return nil
            }
        }
        return kind
    }
}
