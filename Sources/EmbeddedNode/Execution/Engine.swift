import CQLProtocol
import CQLSyntax
import NIOCore

/// A statement that was parsed, with what a client must know to bind it.
struct PreparedQuery: Sendable {
    let text: String
    /// The keyspace that was in use when it was prepared.
    let keyspace: String?
    let statement: Statement
    /// The bind markers: names, types and places of the partition key.
    let parameters: PreparedMetadata
    /// The columns of its answer; without columns for all but reads.
    let columns: ResultMetadata
}

/// What a statement led to.
struct Outcome: Sendable {
    var message: ResultMessage
    var warnings: [String] = []
}

/// Answers requests from the data of a store. Not thread-safe: made and used under the store's lock.
struct Engine {
    let schema: Schema
    /// The node that was asked, and the other ones of its cluster.
    let identity: NodeIdentity
    let peers: [NodeIdentity]
    /// How many of them are up.
    let peersAlive: Int

    /// Runs the text of a QUERY.
    func query(_ text: String, _ parameters: QueryParameters, keyspace: String?) throws -> Outcome {
        try self.execute(self.prepare(text, keyspace: keyspace), parameters)
    }

    /// Parses a text and looks up what it names.
    func prepare(_ text: String, keyspace: String?) throws -> PreparedQuery {
        let statement: Statement
        do throws(CQLSyntaxError) {
            statement = try Parser.parse(text)
        } catch {
            throw NodeError(error.code == .invalid ? .invalid : .syntaxError, error.description)
        }
        var columns = ResultMetadata.none
        var parameters = PreparedMetadata(markers: [])
        if let table = try self.firstTable(statement, keyspace) {
            var typing = MarkerTyping(schema: self.schema, table: table)
            try self.note(statement, keyspace, &typing)
            parameters = try typing.metadata()
            if case .select(let select) = statement {
                let bindings = self.bindings(.none, table)
                let run = SelectExecution(select: select, table: table, bindings: bindings, text: Array(text.utf8))
                columns = ResultMetadata(columns: try run.columns())
            }
        }
        return PreparedQuery(
            text: text,
            keyspace: keyspace,
            statement: statement,
            parameters: parameters,
            columns: columns
        )
    }

    /// Runs a prepared statement.
    func execute(_ query: PreparedQuery, _ parameters: QueryParameters) throws -> Outcome {
        var parameters = parameters
        parameters.values = try self.ordered(parameters.values, query)
        if let table = try self.firstTable(query.statement, query.keyspace) {
            try self.requireReplicas(parameters.consistency, of: table)
        }
        switch query.statement {
        case .select(let select):
            let table = try self.table(select.table, query.keyspace, of: Self.askedKeyspace(select, parameters.values))
            let bindings = self.bindings(parameters.values, table)
            return try SelectExecution(select: select, table: table, bindings: bindings, text: Array(query.text.utf8))
                .run(parameters)
        case .insert, .update, .delete:
            let result = try self.build(query.statement, query.keyspace, parameters.values, parameters.defaultTimestamp)
            return try WriteExecution(results: [result], isBatch: false).run(at: self.schema.nextMicroseconds())
        case .batch(let batch): return try self.run(batch, query, parameters)
        case .truncate(let name):
            try self.requireWritable(name.keyspace ?? query.keyspace)
            try self.table(name, query.keyspace).truncate()
            return Outcome(message: .void)
        case .use(let name):
            guard self.isSystem(name) || self.schema.keyspaces[name] != nil else {
                throw NodeError.invalid("Keyspace '\(name)' does not exist")
            }
            return Outcome(message: .setKeyspace(name))
        case .describe(let describe):
            let answers = Describe(schema: self.schema, identity: self.identity, current: query.keyspace)
            return Outcome(message: try answers.execute(describe))
        default:
            guard
                let change = try self.schema.execute(query.statement, query.keyspace, major: self.identity.majorVersion)
            else {
                return Outcome(message: .void)
            }
            return Outcome(message: .schemaChange(change))
        }
    }

    /// Runs a BATCH message; `prepared` finds a statement by its id and throws the UNPREPARED error where there is none.
    func batch(_ batch: Batch, keyspace: String?, prepared: (ByteBuffer) throws -> PreparedQuery) throws -> Outcome {
        var kind: BatchStatement.Kind
        switch batch.kind {
        case .logged: kind = .logged
        case .unlogged: kind = .unlogged
        case .counter: kind = .counter
        default: throw NodeError(.protocolError, "Invalid BATCH message type \(batch.kind.rawValue)")
        }
        var results: [MutationBuilder.Result] = []
        for child in batch.children {
            let query: PreparedQuery =
                switch child.statement {
                case .text(let text): try self.prepare(text, keyspace: keyspace)
                case .prepared(let id): try prepared(id)
                }
            let values = QueryValues.positional(child.values)
            _ = try self.ordered(values, query)
            results.append(try self.build(query.statement, query.keyspace, values, batch.defaultTimestamp))
        }
        try BatchRules.check(results, kind)
        for result in results {
            for mutation in result.mutations { try self.requireReplicas(batch.consistency, of: mutation.table) }
        }
        return try WriteExecution(results: results, isBatch: true, kind: kind).run(at: self.schema.nextMicroseconds())
    }

    // MARK: Writes

    private func run(_ batch: BatchStatement, _ query: PreparedQuery, _ parameters: QueryParameters) throws -> Outcome {
        var timestamp = parameters.defaultTimestamp
        if let term = batch.using?.timestamp {
            let bindings = Bindings(schema: self.schema, values: parameters.values, keyspace: "", now: 0)
            timestamp = try bindings.required(term, as: .bigint, for: "[timestamp]").int64
        }
        let results = try batch.children.map { child in
            if batch.using?.timestamp != nil, BatchRules.using(child.statement)?.timestamp != nil {
                throw NodeError.invalid("Timestamp must be set either on BATCH or individual statements")
            }
            return try self.build(child.statement, query.keyspace, parameters.values, timestamp)
        }
        try BatchRules.check(results, batch.kind)
        if batch.using?.timestamp != nil {
            guard batch.kind != .counter else {
                throw NodeError.invalid("Cannot provide custom timestamp for counter BATCH")
            }
            guard !results.contains(where: { $0.check != nil }) else {
                throw NodeError.invalid("Cannot provide custom timestamp for conditional BATCH")
            }
        }
        return try WriteExecution(results: results, isBatch: true, kind: batch.kind)
            .run(at: self.schema.nextMicroseconds())
    }

    private func build(
        _ statement: Statement,
        _ keyspace: String?,
        _ values: QueryValues,
        _ timestamp: Int64?
    ) throws -> MutationBuilder.Result {
        guard let table = try self.firstTable(statement, keyspace), !Self.isRead(statement) else {
            throw NodeError.invalid(
                "Invalid statement in batch: only UPDATE, INSERT and DELETE statements are allowed."
            )
        }
        try self.requireWritable(table.keyspace)
        let bindings = self.bindings(values, table)
        return try MutationBuilder(
            schema: self.schema,
            keyspace: keyspace,
            bindings: bindings,
            timestamp: timestamp ?? bindings.now
        ).build(statement, table)
    }

    private static func isRead(_ statement: Statement) -> Bool {
        if case .select = statement { return true }
        return false
    }

    private func bindings(_ values: QueryValues, _ table: Table) -> Bindings {
        Bindings(
            schema: self.schema,
            values: values,
            keyspace: table.keyspace,
            now: self.schema.nextMicroseconds(),
            hasElementTimes: self.identity.majorVersion >= 5
        )
    }

    /// The values in the order of the markers. A value with a name is for all markers of that name; those without have their
    /// columns'.
    private func ordered(_ values: QueryValues, _ query: PreparedQuery) throws -> QueryValues {
        let wanted = query.parameters.markers.count
        switch values {
        case .none where wanted > 0: throw NodeError.invalid("Invalid amount of bind variables")
        case .positional(let values) where values.count != wanted:
            throw NodeError.invalid(
                "There were \(wanted) markers(?) in CQL but \(values.count) bound variables"
            )
        case .named(let named):
            return .positional(
                try query.parameters.markers.map { marker in
                    guard let value = named.first(where: { $0.name == marker.name }) else {
                        throw NodeError.invalid("Invalid amount of bind variables: \(marker.name) is missing")
                    }
                    return value.value
                }
            )
        case .none, .positional: return values
        }
    }

    /// Every node of the cluster holds all data, but not more replicas than the keyspace asks for are counted.
    private func requireReplicas(_ consistency: Consistency, of table: Table) throws {
        guard let keyspace = self.schema.keyspaces[table.keyspace] else { return }
        let factors = keyspace.replication.filter { $0.key != "class" }.values.compactMap { Int32($0) }
        let factor = max(1, factors.reduce(0, +))
        let required: Int32 =
            switch consistency {
            case .two: 2
            case .three: 3
            case .quorum, .localQuorum, .eachQuorum: factor / 2 + 1
            case .all: factor
            default: 1
            }
        let alive = min(factor, Int32(self.peersAlive + 1))
        guard alive < required else { return }
        throw NodeError(
            .unavailable,
            "Cannot achieve consistency level \(consistency)",
            details: .unavailable(consistency: consistency, required: required, alive: alive)
        )
    }

    // MARK: Tables

    private func isSystem(_ keyspace: String?) -> Bool {
        keyspace.map { SystemTables.keyspaceNames.contains($0) } ?? false
    }

    private func requireWritable(_ keyspace: String?) throws {
        guard let keyspace, self.isSystem(keyspace) else { return }
        throw NodeError(.unauthorized, "\(keyspace) keyspace is not user-modifiable.")
    }

    /// - Parameters:
    ///   - withRows: whether a system table is to have its rows, which are made anew each time.
    ///   - asked: the only keyspace whose rows the schema's tables need to have; nil for all.
    private func table(
        _ name: QualifiedName,
        _ current: String?,
        withRows: Bool = true,
        of asked: String? = nil
    ) throws -> Table {
        guard let keyspace = name.keyspace ?? current, self.isSystem(keyspace) else {
            return try self.schema.table(name, current)
        }
        let tables = SystemTables(schema: self.schema, identity: self.identity, peers: self.peers, asked: asked)
        let table =
            withRows
            ? tables.table(keyspace: keyspace, name: name.name) : self.schema.system[keyspace]?.tables[name.name]
        guard let table else { throw NodeError.invalid("table \(name.name) does not exist") }
        return table
    }

    /// The one keyspace that a read of the schema is about; nil where it may be about several.
    private static func askedKeyspace(_ select: SelectStatement, _ values: QueryValues) -> String? {
        for case .comparison(column: "keyspace_name", .equal, let term) in select.relations {
            switch (term, values) {
            case (.literal(let literal), _) where literal.kind == .string: return literal.text
            case (.marker(let marker), .positional(let values)) where values.indices.contains(marker.index):
                if case .value(let name) = values[marker.index] { return String(buffer: name) }
            default: break
            }
        }
        return nil
    }

    /// The table of a read or write; of a batch the one of its first child. A system table is without its rows.
    private func firstTable(_ statement: Statement, _ current: String?) throws -> Table? {
        switch statement {
        case .select(let select): try self.table(select.table, current, withRows: false)
        case .insert(let insert): try self.table(insert.table, current, withRows: false)
        case .update(let update): try self.table(update.table, current, withRows: false)
        case .delete(let delete): try self.table(delete.table, current, withRows: false)
        case .batch(let batch): try batch.children.first.flatMap { try self.firstTable($0.statement, current) }
        default: nil
        }
    }

    private func note(_ statement: Statement, _ current: String?, _ typing: inout MarkerTyping) throws {
        switch statement {
        case .select(let select): try typing.note(select)
        case .insert(let insert): try typing.note(insert)
        case .update(let update): try typing.note(update)
        case .delete(let delete): try typing.note(delete)
        case .batch(let batch):
            try typing.note(batch.using)
            for child in batch.children {
                guard let table = try self.firstTable(child.statement, current) else { continue }
                typing.enter(table)
                try self.note(child.statement, current, &typing)
            }
        default: break
        }
    }
}
