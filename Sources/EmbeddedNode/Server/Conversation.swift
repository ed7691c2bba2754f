import CQLProtocol
import NIOCore

/// Where a client's connection stands between its first frame and READY. Decides only; the connection sends.
struct Conversation {
    private enum Phase {
        case fresh
        case authenticating
        case ready
    }

    private let authentication: EmbeddedNodeConfiguration.Authentication
    /// What the node tells of its shards.
    private let shards: WireMap<[String]>
    private var phase = Phase.fresh
    /// How bodies are compressed from READY or AUTHENTICATE on.
    private(set) var compression: BodyCompression?

    init(authentication: EmbeddedNodeConfiguration.Authentication, shards: WireMap<[String]> = [:]) {
        self.authentication = authentication
        self.shards = shards
    }

    static let cqlVersion = "3.4.6"

    private var supported: Response {
        var options: WireMap<[String]> = [
            "PROTOCOL_VERSIONS": ["3/v3", "4/v4"], "COMPRESSION": ["snappy", "lz4"], "CQL_VERSION": [Self.cqlVersion],
        ]
        options.pairs += self.shards.pairs
        return .supported(options)
    }

    /// The answer to a message of the handshake; `nil` for requests that the engine answers.
    mutating func answer(_ request: Request) throws(NodeError) -> Response? {
        switch (self.phase, request) {
        case (_, .options): return self.supported
        case (.fresh, .startup(let options)): return try self.startup(options)
        case (.authenticating, .authResponse(let token)): return try self.authenticate(token)
        case (.ready, .register), (.ready, .query), (.ready, .prepare), (.ready, .execute), (.ready, .batch): return nil
        case (.fresh, _):
            throw NodeError(.protocolError, "Unexpected message \(request.opcode), expecting STARTUP or OPTIONS")
        case (.authenticating, _):
            throw NodeError(.protocolError, "Unexpected message \(request.opcode), expecting AUTH_RESPONSE")
        case (.ready, .startup), (.ready, .authResponse):
            throw NodeError(.protocolError, "Unexpected message \(request.opcode), the connection is ready already")
        }
    }

    private mutating func startup(_ options: WireMap<String>) throws(NodeError) -> Response {
        guard let version = options["CQL_VERSION"] else {
            throw NodeError(.protocolError, "Missing value CQL_VERSION in STARTUP message")
        }
        guard version.hasPrefix("3.") else {
            throw NodeError(.protocolError, "CQL version \(version) is not supported by the binary protocol")
        }
        if let name = options["COMPRESSION"] {
            guard let compression = BodyCompression(name: name.lowercased()) else {
                throw NodeError(.protocolError, "Unknown compression algorithm: \(name)")
            }
            self.compression = compression
        }
        guard case .password = self.authentication else {
            self.phase = .ready
            return .ready
        }
        self.phase = .authenticating
        return .authenticate("org.apache.cassandra.auth.PasswordAuthenticator")
    }

    /// SASL PLAIN (RFC 4616): an identity that is not used, a zero, the name, a zero, the password.
    private mutating func authenticate(_ token: ByteBuffer?) throws(NodeError) -> Response {
        let parts = (token?.bytes ?? []).split(separator: 0, omittingEmptySubsequences: false).map { Bytes($0).string }
        guard parts.count == 3 else { throw NodeError(.badCredentials, "Password must not be null") }
        guard case .password(let users) = self.authentication, users[parts[1]] == parts[2] else {
            throw NodeError(.badCredentials, "Provided username \(parts[1]) and/or password are incorrect")
        }
        self.phase = .ready
        return .authSuccess(nil)
    }
}
