/// RESULT (native protocol v4 §4.2.5).
public enum ResultMessage: Hashable, Sendable {
    /// Nothing to say.
    case void
    /// Rows.
    case rows(Rows)
    /// The keyspace that `USE` has set.
    case setKeyspace(String)
    /// A prepared statement.
    case prepared(Prepared)
    /// The schema has changed.
    case schemaChange(SchemaChange)

    /// The kind on the wire.
    public var kind: Int32 {
        switch self {
        case .void: 1
        case .rows: 2
        case .setKeyspace: 3
        case .prepared: 4
        case .schemaChange: 5
        }
    }

    init(from reader: inout WireReader) throws(CQLProtocolError) {
        switch try reader.int("result kind") {
        case 1: self = .void
        case 2: self = .rows(try Rows(from: &reader))
        case 3: self = .setKeyspace(try reader.string("keyspace"))
        case 4: self = .prepared(try Prepared(from: &reader))
        case 5: self = .schemaChange(try SchemaChange(from: &reader))
        default: throw reader.error(.unknownKind, "result kind")
        }
    }

    func write(to writer: inout WireWriter) throws(CQLProtocolError) {
        writer.int(kind)
        switch self {
        case .void: break
        case .rows(let rows): try rows.write(to: &writer)
        case .setKeyspace(let keyspace): try writer.string(keyspace)
        case .prepared(let prepared): try prepared.write(to: &writer)
        case .schemaChange(let change): try change.write(to: &writer)
        }
    }
}
