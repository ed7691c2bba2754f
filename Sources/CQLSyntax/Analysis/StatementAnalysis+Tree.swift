extension StatementAnalysis {
    /// The analysis of a parsed text.
    static func analysis(
        of statement: Statement,
        precision: Precision,
        text: [UInt8],
        markerStarts: [Int]
    ) -> StatementAnalysis {
        let range = SourceRange(start: 0, end: text.count)
        var calls: [ServerValues.Call]? = []
        let analysis = Self.facts(of: statement, precision: precision, range: range, text: text, constants: &calls)
        guard let calls, !calls.isEmpty else { return analysis }
        var none: [ServerValues.Call]?
        let asWritten = Self.facts(of: statement, precision: precision, range: range, text: text, constants: &none)
        return StatementAnalysis(
            asWritten,
            serverValues: ServerValues(calls, analysis: analysis, markerStarts: markerStarts)
        )
    }

    /// Facts from a parsed statement.
    ///
    /// - Parameter constants: where there is a list, calls that can be evaluated beforehand are added to it, and taken for the
    ///   constants that will stand in their place.
    private static func facts(
        of statement: Statement,
        precision: Precision,
        range: SourceRange,
        text: [UInt8],
        constants: inout [ServerValues.Call]?
    ) -> StatementAnalysis {
        var facts = FactCollector(takesCallsForConstants: constants != nil && statement.isModification)
        defer { constants?.append(contentsOf: facts.calls) }
        switch statement {
        case .select(let select):
            facts.note(select)
            return Self.make(
                .select,
                select.table,
                facts,
                precision,
                range,
                selection: Selection(select, text: text)
            )
        case .insert(let insert):
            facts.note(insert)
            return Self.make(.insert, insert.table, facts, precision, range)
        case .update(let update):
            facts.note(update)
            return Self.make(.update, update.table, facts, precision, range)
        case .delete(let delete):
            facts.note(delete)
            return Self.make(.delete, delete.table, facts, precision, range)
        case .batch(let batch):
            facts.note(batch.using)
            let children = batch.children.map { child in
                Self.facts(
                    of: child.statement,
                    precision: precision,
                    range: child.range,
                    text: text,
                    constants: &constants
                )
            }
            return Self.batch(batch.kind, own: facts, children, precision, range)
        default:
            let (kind, name) = statement.kindAndName
            return Self.make(kind, name, facts, precision, range)
        }
    }

    private static func make(
        _ kind: StatementKind,
        _ name: QualifiedName?,
        _ facts: FactCollector,
        _ precision: Precision,
        _ range: SourceRange,
        selection: Selection? = nil
    ) -> StatementAnalysis {
        StatementAnalysis(
            kind: kind,
            precision: precision,
            keyspace: name?.keyspace,
            table: name.flatMap { $0.name.isEmpty ? nil : $0.name },
            markers: facts.markers.sorted { $0.index < $1.index },
            hasConditions: facts.hasConditions,
            hasIfNotExists: facts.hasIfNotExists,
            usesTimestamp: facts.usesTimestamp,
            usesTimeToLive: facts.usesTimeToLive,
            functions: facts.functions,
            isRepeatable: kind.isRepeatable(facts),
            columnWrites: facts.writes,
            range: range,
            selection: selection
        )
    }

    static func batch(
        _ kind: BatchStatement.Kind,
        own: FactCollector,
        _ children: [StatementAnalysis],
        _ precision: Precision,
        _ range: SourceRange
    ) -> StatementAnalysis {
        let first = children.first
        let sharesKeyspace = children.allSatisfy { $0.keyspace == first?.keyspace }
        let sharesTable = sharesKeyspace && children.allSatisfy { $0.table == first?.table }
        return StatementAnalysis(
            kind: .batch,
            precision: precision,
            keyspace: sharesKeyspace ? first?.keyspace : nil,
            table: sharesTable ? first?.table : nil,
            markers: own.markers + children.flatMap(\.markers),
            hasConditions: children.contains(where: \.hasConditions),
            hasIfNotExists: children.contains(where: \.hasIfNotExists),
            usesTimestamp: own.usesTimestamp || children.contains(where: \.usesTimestamp),
            usesTimeToLive: own.usesTimeToLive || children.contains(where: \.usesTimeToLive),
            functions: children.flatMap(\.functions),
            isRepeatable: kind != .counter && children.allSatisfy(\.isRepeatable),
            columnWrites: children.flatMap(\.columnWrites),
            batchKind: kind,
            children: children,
            range: range,
            hidesServerValues: children.contains(where: \.hidesServerValues)
        )
    }
}

extension StatementKind {
    fileprivate func isRepeatable(_ facts: FactCollector) -> Bool {
        switch self {
        case .select, .list, .describe, .use: true
        case .insert, .update, .delete: !facts.repeats && !facts.functions.contains(where: \.isNonDeterministic)
        case .batch, .ddl, .roleOrPermission, .truncate, .unknown: false
        }
    }
}

extension Statement {
    /// INSERT, UPDATE or DELETE.
    fileprivate var isModification: Bool {
        switch self {
        case .insert, .update, .delete: true
        default: false
        }
    }

    /// For everything but reads and modifications.
    fileprivate var kindAndName: (StatementKind, QualifiedName?) {
        func change(_ action: SchemaChange.Action, _ object: SchemaChange.Object) -> StatementKind {
            .ddl(SchemaChange(action: action, object: object))
        }
        func keyspace(_ name: String) -> QualifiedName { QualifiedName(keyspace: name, name: "") }
        switch self {
        case .select, .insert, .update, .delete, .batch: return (.unknown, nil)
        case .truncate(let name): return (.truncate, name)
        case .use(let name): return (.use, keyspace(name))
        case .createKeyspace(let create): return (change(.create, .keyspace), keyspace(create.name))
        case .alterKeyspace(let alter): return (change(.alter, .keyspace), keyspace(alter.name))
        case .dropKeyspace(let name, _): return (change(.drop, .keyspace), keyspace(name))
        case .createTable(let create): return (change(.create, .table), create.name)
        case .alterTable(let alter): return (change(.alter, .table), alter.name)
        case .dropTable(let name, _): return (change(.drop, .table), name)
        case .createType(let create): return (change(.create, .type), create.name)
        case .alterType(let alter): return (change(.alter, .type), alter.name)
        case .dropType(let name, _): return (change(.drop, .type), name)
        case .createIndex(let create): return (change(.create, .index), create.table)
        case .dropIndex(let name, _): return (change(.drop, .index), name)
        case .createView(let create): return (change(.create, .view), create.name)
        case .alterView(let name, _, _): return (change(.alter, .view), name)
        case .dropView(let name, _): return (change(.drop, .view), name)
        case .createFunction(let create): return (change(.create, .function), create.name)
        case .dropFunction(let name, _, _): return (change(.drop, .function), name)
        case .createAggregate(let create): return (change(.create, .aggregate), create.name)
        case .dropAggregate(let name, _, _): return (change(.drop, .aggregate), name)
        case .createTrigger(let create): return (change(.create, .trigger), create.table)
        case .dropTrigger(_, let table, _): return (change(.drop, .trigger), table)
        case .createRole, .alterRole, .dropRole, .grantRole, .revokeRole, .grant, .revoke:
            return (.roleOrPermission, nil)
        case .list: return (.list, nil)
        case .describe: return (.describe, nil)
        }
    }
}

extension Selection {
    init(_ select: SelectStatement, text: [UInt8]) {
        var items: [Item]?
        var tellsCellMetadata = false
        if case .items(let selected) = select.projection {
            tellsCellMetadata = selected.contains(where: \.selector.tellsCellMetadata)
            items = selected.map { item in
                var column: String?
                if case .column(let name) = item.selector { column = name }
                let written = String(decoding: text[item.range.start..<item.range.end], as: UTF8.self)
                return Item(
                    column: column,
                    name: item.alias ?? column ?? (item.selector == .countRows ? "count" : written),
                    isCount: item.selector == .countRows
                )
            }
        }
        var (equalities, memberships): ([Equality], [Membership]) = ([], [])
        for relation in select.relations {
            if case .comparison(let column, .equal, let term) = relation {
                equalities.append(Equality(column: column, term: term))
            } else if case .isIn(let column, let values) = relation {
                memberships.append(Membership(column: column, values: values))
            }
        }
        var limit: Int?
        if case .literal(let literal) = select.limit { limit = Int(literal.text) }
        self.init(
            items: items,
            equalities: equalities,
            memberships: memberships,
            hasOnlyEqualities: equalities.count == select.relations.count,
            isJSON: select.isJSON,
            isDistinct: select.isDistinct,
            limit: limit,
            hasLimit: select.limit != nil,
            isTokenScan: select.relations.allSatisfy(\.isTokenBound),
            isRanked: select.orderBy.contains { $0.nearestTo != nil }
                || select.relations.contains(where: \.isCustomIndex),
            tellsCellMetadata: tellsCellMetadata
        )
    }
}

extension Relation {
    fileprivate var isTokenBound: Bool { if case .token = self { true } else { false } }

    fileprivate var isCustomIndex: Bool { if case .customIndex = self { true } else { false } }
}

extension Selector {
    fileprivate var tellsCellMetadata: Bool {
        switch self {
        case .writeTime, .maxWriteTime, .timeToLive: true
        case .column, .countRows, .term: false
        case .cast(let inner, _), .field(let inner, _), .typeHint(_, let inner), .negated(let inner):
            inner.tellsCellMetadata
        case .function(_, let inner), .tuple(let inner), .list(let inner), .set(let inner):
            inner.contains(where: \.tellsCellMetadata)
        case .element(let base, let key): base.tellsCellMetadata || key.tellsCellMetadata
        case .slice(let base, let from, let to):
            [base, from, to].contains { $0?.tellsCellMetadata == true }
        case .arithmetic(let left, _, let right): left.tellsCellMetadata || right.tellsCellMetadata
        case .map(let entries): entries.contains { $0.key.tellsCellMetadata || $0.value.tellsCellMetadata }
        case .userType(let fields): fields.contains { $0.value.tellsCellMetadata }
        }
    }
}
