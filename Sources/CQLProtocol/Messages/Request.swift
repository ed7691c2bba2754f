public import NIOCore

/// A message from client to server (native protocol v4 §4.1).
public enum Request: Hashable, Sendable {
    /// STARTUP with its options (§4.1.1).
    case startup(WireMap<String>)
    /// AUTH_RESPONSE with its SASL token (§4.1.2).
    case authResponse(ByteBuffer?)
    /// OPTIONS (§4.1.3).
    case options
    /// QUERY (§4.1.4).
    case query(Query)
    /// PREPARE with the CQL text (§4.1.5).
    case prepare(String)
    /// EXECUTE (§4.1.6).
    case execute(Execute)
    /// BATCH (§4.1.7).
    case batch(Batch)
    /// REGISTER for events (§4.1.8).
    case register([EventType])

    /// The opcode of its frame.
    public var opcode: Opcode {
        switch self {
        case .startup: .startup
        case .authResponse: .authResponse
        case .options: .options
        case .query: .query
        case .prepare: .prepare
        case .execute: .execute
        case .batch: .batch
        case .register: .register
        }
    }

    init(opcode: Opcode, from reader: inout WireReader) throws(CQLProtocolError) {
        switch opcode {
        case .startup: self = .startup(try reader.stringMap("startup options"))
        case .authResponse: self = .authResponse(try reader.bytes("SASL token"))
        case .options: self = .options
        case .query:
            let text = try reader.longString("query")
            self = .query(Query(text, parameters: try QueryParameters(from: &reader)))
        case .prepare: self = .prepare(try reader.longString("query"))
        case .execute:
            let id = try reader.shortBytes("prepared id")
            self = .execute(Execute(id: id, parameters: try QueryParameters(from: &reader)))
        case .batch: self = .batch(try Batch(from: &reader))
        case .register:
            self = .register(try reader.stringList("event types").map { EventType(rawValue: $0) })
        default: throw reader.error(.unknownOpcode, "request opcode \(opcode)")
        }
    }

    func write(to writer: inout WireWriter) throws(CQLProtocolError) {
        switch self {
        case .startup(let options): try writer.stringMap(options)
        case .authResponse(let token): try writer.bytes(token)
        case .options: break
        case .query(let query):
            try writer.longString(query.text)
            try query.parameters.write(to: &writer)
        case .prepare(let text): try writer.longString(text)
        case .execute(let execute):
            try writer.shortBytes(execute.id)
            try execute.parameters.write(to: &writer)
        case .batch(let batch): try batch.write(to: &writer)
        case .register(let types): try writer.stringList(types.map(\.rawValue))
        }
    }
}
