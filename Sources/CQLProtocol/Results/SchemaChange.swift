/// A change of the schema, in a result (native protocol v4 §4.2.5.5) or an event.
public struct SchemaChange: Hashable, Sendable {
    /// What was changed.
    public enum Target: Hashable, Sendable {
        /// The keyspace itself.
        case keyspace
        /// A table or view.
        case table(String)
        /// A user type.
        case type(String)
        /// A function with its argument types (v4 only).
        case function(String, arguments: [String])
        /// An aggregate with its argument types (v4 only).
        case aggregate(String, arguments: [String])
    }

    /// `CREATED`, `UPDATED` or `DROPPED`.
    public var change: String
    /// What was changed.
    public var target: Target
    /// The keyspace of the target.
    public var keyspace: String

    /// A change.
    public init(change: String, target: Target, keyspace: String) {
        self.change = change
        self.target = target
        self.keyspace = keyspace
    }

    init(from reader: inout WireReader) throws(CQLProtocolError) {
        change = try reader.string("schema change")
        let kind = try reader.string("target of a schema change")
        keyspace = try reader.string("keyspace")
        switch kind {
        case "KEYSPACE": target = .keyspace
        case "TABLE": target = .table(try reader.string("table"))
        case "TYPE": target = .type(try reader.string("type"))
        case "FUNCTION", "AGGREGATE":
            let name = try reader.string("function")
            let arguments = try reader.stringList("argument types")
            target =
                kind == "FUNCTION"
                ? .function(name, arguments: arguments) : .aggregate(name, arguments: arguments)
        default: throw reader.error(.unknownKind, "target of a schema change")
        }
    }

    func write(to writer: inout WireWriter) throws(CQLProtocolError) {
        try writer.string(change)
        switch target {
        case .keyspace:
            try writer.string("KEYSPACE")
            try writer.string(keyspace)
        case .table(let name): try writeNamed("TABLE", name, to: &writer)
        case .type(let name): try writeNamed("TYPE", name, to: &writer)
        case .function(let name, let arguments):
            try writeNamed("FUNCTION", name, to: &writer)
            try writer.stringList(arguments)
        case .aggregate(let name, let arguments):
            try writeNamed("AGGREGATE", name, to: &writer)
            try writer.stringList(arguments)
        }
    }

    private func writeNamed(_ kind: String, _ name: String, to writer: inout WireWriter) throws(CQLProtocolError) {
        try writer.string(kind)
        try writer.string(keyspace)
        try writer.string(name)
    }
}
