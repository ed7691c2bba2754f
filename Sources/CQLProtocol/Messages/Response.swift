public import NIOCore

/// A message from server to client (native protocol v4 §4.2).
public enum Response: Hashable, Sendable {
    /// ERROR (§4.2.1).
    case error(ErrorMessage)
    /// READY (§4.2.2).
    case ready
    /// AUTHENTICATE with the authenticator's class (§4.2.3).
    case authenticate(String)
    /// SUPPORTED options (§4.2.4).
    case supported(WireMap<[String]>)
    /// RESULT (§4.2.5).
    case result(ResultMessage)
    /// EVENT (§4.2.6).
    case event(EventMessage)
    /// AUTH_CHALLENGE with its SASL token (§4.2.7).
    case authChallenge(ByteBuffer?)
    /// AUTH_SUCCESS with its SASL token (§4.2.8).
    case authSuccess(ByteBuffer?)

    /// The opcode of its frame.
    public var opcode: Opcode {
        switch self {
        case .error: .error
        case .ready: .ready
        case .authenticate: .authenticate
        case .supported: .supported
        case .result: .result
        case .event: .event
        case .authChallenge: .authChallenge
        case .authSuccess: .authSuccess
        }
    }

    init(opcode: Opcode, from reader: inout WireReader) throws(CQLProtocolError) {
        switch opcode {
        case .error: self = .error(try ErrorMessage(from: &reader))
        case .ready: self = .ready
        case .authenticate: self = .authenticate(try reader.string("authenticator"))
        case .supported: self = .supported(try reader.stringMultimap("supported options"))
        case .result: self = .result(try ResultMessage(from: &reader))
        case .event: self = .event(try EventMessage(from: &reader))
        case .authChallenge: self = .authChallenge(try reader.bytes("SASL token"))
        case .authSuccess: self = .authSuccess(try reader.bytes("SASL token"))
        default: throw reader.error(.unknownOpcode, "response opcode \(opcode)")
        }
    }

    func write(to writer: inout WireWriter) throws(CQLProtocolError) {
        switch self {
        case .error(let error): try error.write(to: &writer)
        case .ready: break
        case .authenticate(let name): try writer.string(name)
        case .supported(let options): try writer.stringMultimap(options)
        case .result(let result): try result.write(to: &writer)
        case .event(let event): try event.write(to: &writer)
        case .authChallenge(let token), .authSuccess(let token): try writer.bytes(token)
        }
    }
}
