import CQLProtocol
import NIOCore

/// The way of a connection from its first byte to its first request: OPTIONS where compression or shards are wanted, STARTUP,
/// SASL PLAIN where the node asks for it, USE where the pool has a keyspace (native protocol v4 §4.1). A value: it decides, the
/// connection sends.
struct Handshake {
    /// What to do next.
    enum Action: Equatable {
        case send(Request)
        case ready
        case fail(UpstreamError)

        static func == (left: Action, right: Action) -> Bool {
            switch (left, right) {
            case (.send(let left), .send(let right)): left == right
            case (.ready, .ready): true
            case (.fail(let left), .fail(let right)): left.code == right.code && left.serverError == right.serverError
            default: false
            }
        }
    }

    private enum State {
        case idle, options, startup, authenticating, using, done
    }

    private let credentials: Credentials?
    private let keyspace: String?
    private var state = State.idle
    /// The class that the node named, where it asked for credentials.
    private(set) var authenticator: String?
    /// What bodies are packed with from the answer to STARTUP on: what was wanted, where the node can do it.
    private(set) var compression: BodyCompression?
    /// What the node has told of its shards, where it was asked and has some.
    private(set) var sharding: Sharding?
    private let asksForShards: Bool

    init(
        credentials: Credentials?,
        keyspace: String?,
        compression: BodyCompression? = nil,
        asksForShards: Bool = false
    ) {
        self.credentials = credentials
        self.keyspace = keyspace
        self.compression = compression
        self.asksForShards = asksForShards
    }

    mutating func begin() -> Action {
        guard self.compression == nil, !self.asksForShards else {
            self.state = .options
            return .send(.options)
        }
        return self.startup()
    }

    private mutating func startup() -> Action {
        self.state = .startup
        var options: WireMap<String> = ["CQL_VERSION": "3.0.0", "DRIVER_NAME": "cluster-sync"]
        options["COMPRESSION"] = self.compression?.rawValue
        return .send(.startup(options))
    }

    mutating func received(_ response: Response) -> Action {
        if case .error(let error) = response {
            self.state = .done
            return .fail(UpstreamError(.refused, "\(error.code): \(error.message)", serverError: error))
        }
        switch (self.state, response) {
        case (.options, .supported(let supported)):
            // Like any client: what the server does not offer is done without.
            let offered = supported["COMPRESSION"]?.map { $0.lowercased() } ?? []
            if let compression, !offered.contains(compression.rawValue) { self.compression = nil }
            if self.asksForShards { self.sharding = Sharding(supported: supported) }
            return self.startup()
        case (.startup, .ready):
            return self.authenticated()
        case (.startup, .authenticate(let name)):
            self.authenticator = name
            guard let credentials else {
                self.state = .done
                let text = "the cluster asks for credentials (\(name)) and none are configured"
                return .fail(
                    UpstreamError(.refused, text, serverError: ErrorMessage(.badCredentials, "cluster-sync: \(text)"))
                )
            }
            self.state = .authenticating
            return .send(.authResponse(credentials.saslPlain))
        case (.authenticating, .authSuccess):
            return self.authenticated()
        case (.authenticating, .authChallenge):
            // DSE and custom authenticators that speak PLAIN challenge once with their own name first.
            guard let credentials else { return .fail(UpstreamError(.refused, "an unexpected challenge")) }
            return .send(.authResponse(credentials.saslPlain))
        case (.using, .result(.setKeyspace)):
            self.state = .done
            return .ready
        default:
            self.state = .done
            return .fail(UpstreamError(.protocolViolation, "an unexpected \(response.opcode) in the handshake"))
        }
    }

    private mutating func authenticated() -> Action {
        guard let keyspace else {
            self.state = .done
            return .ready
        }
        self.state = .using
        let quoted =
            "\"" + keyspace.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
        return .send(.query(Query("USE \(quoted)")))
    }
}
