public import CQLProtocol

/// Why a cluster cannot be used (now).
public struct UpstreamError: Error, Sendable, CustomStringConvertible {
    /// The kinds.
    public struct Code: Sendable, Hashable {
        private enum Value { case unreachable, timeout, refused, protocolViolation, closed }
        private let value: Value
        private init(_ value: Value) { self.value = value }

        /// No connection could be made.
        public static var unreachable: Self { .init(.unreachable) }
        /// Silence.
        public static var timeout: Self { .init(.timeout) }
        /// The cluster itself said no; ``UpstreamError/serverError`` says how.
        public static var refused: Self { .init(.refused) }
        /// Bytes that are not the protocol.
        public static var protocolViolation: Self { .init(.protocolViolation) }
        /// Our side has closed.
        public static var closed: Self { .init(.closed) }
    }

    /// The kind.
    public let code: Code
    /// What happened, without secrets.
    public let description: String
    /// The cluster's own ERROR, where it gave one.
    public let serverError: ErrorMessage?

    /// An error of known parts.
    public init(_ code: Code, _ description: String, serverError: ErrorMessage? = nil) {
        self.code = code
        self.description = description
        self.serverError = serverError
    }

    /// Whether trying again is pointless until somebody changes something: wrong credentials, unknown keyspace.
    var isFinal: Bool {
        switch self.serverError?.code {
        case .badCredentials, .invalid, .unauthorized, .configError, .protocolError: true
        default: false
        }
    }
}
