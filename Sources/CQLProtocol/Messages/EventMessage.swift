public import NIOCore

/// EVENT (native protocol v4 §4.2.6).
public enum EventMessage: Hashable, Sendable {
    /// A node was added (`NEW_NODE`), removed (`REMOVED_NODE`) or moved (`MOVED_NODE`).
    case topologyChange(String, InetEndpoint)
    /// A node went `UP` or `DOWN`.
    case statusChange(String, InetEndpoint)
    /// The schema has changed.
    case schemaChange(SchemaChange)
    /// A type that versions 3 and 4 do not have, with its bytes.
    case unknown(EventType, ByteBuffer)

    /// Its type.
    public var type: EventType {
        switch self {
        case .topologyChange: .topologyChange
        case .statusChange: .statusChange
        case .schemaChange: .schemaChange
        case .unknown(let type, _): type
        }
    }

    init(from reader: inout WireReader) throws(CQLProtocolError) {
        let type = EventType(rawValue: try reader.string("event type"))
        switch type {
        case .topologyChange:
            let change = try reader.string("topology change")
            self = .topologyChange(change, try reader.inet("address of a node"))
        case .statusChange:
            let change = try reader.string("status change")
            self = .statusChange(change, try reader.inet("address of a node"))
        case .schemaChange: self = .schemaChange(try SchemaChange(from: &reader))
        default: self = .unknown(type, reader.rest())
        }
    }

    func write(to writer: inout WireWriter) throws(CQLProtocolError) {
        try writer.string(type.rawValue)
        switch self {
        case .topologyChange(let change, let endpoint), .statusChange(let change, let endpoint):
            try writer.string(change)
            writer.inet(endpoint)
        case .schemaChange(let change): try change.write(to: &writer)
        case .unknown(_, let rest): writer.buffer.writeImmutableBuffer(rest)
        }
    }
}
