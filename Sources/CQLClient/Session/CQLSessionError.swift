public import CQLProtocol

/// Why a request of a session has no result. Shows neither values nor credentials.
public struct CQLSessionError: Error, Sendable, CustomStringConvertible {
    /// The kinds.
    public struct Code: Sendable, Hashable {
        private enum Value { case refused, timeout, connectionLost, overloaded, closed, protocolViolation }
        private let value: Value
        private init(_ value: Value) { self.value = value }

        /// The cluster answered with an ERROR; ``CQLSessionError/serverError`` is it.
        public static var refused: Self { .init(.refused) }
        /// No answer before the deadline.
        public static var timeout: Self { .init(.timeout) }
        /// The connection went away with the request on it.
        public static var connectionLost: Self { .init(.connectionLost) }
        /// More requests wait than ``CQLSession/Limits/waitingMax`` allows.
        public static var overloaded: Self { .init(.overloaded) }
        /// The session is closed, or its cluster refuses it for good.
        public static var closed: Self { .init(.closed) }
        /// The request cannot be encoded or its answer cannot be read.
        public static var protocolViolation: Self { .init(.protocolViolation) }
    }

    /// The kind.
    public let code: Code
    /// What happened.
    public let description: String
    /// The cluster's own ERROR, where it gave one.
    public let serverError: ErrorMessage?
    /// Whether the request certainly had no effect, or was said to be idempotent.
    public let isSafeToRetry: Bool

    init(_ code: Code, _ description: String, serverError: ErrorMessage? = nil, isSafeToRetry: Bool) {
        self.code = code
        self.description = description
        self.serverError = serverError
        self.isSafeToRetry = isSafeToRetry
    }
}

extension CQLSessionError {
    /// Whether the same request may well succeed later.
    public var isTransient: Bool {
        guard self.code == .refused else { return self.code != .closed && self.code != .protocolViolation }
        switch self.serverError?.code {
        case .some(.unavailable), .some(.overloaded), .some(.isBootstrapping), .some(.writeTimeout),
            .some(.readTimeout),
            .some(.readFailure), .some(.writeFailure), .some(.casWriteUnknown), .some(.serverError):
            return true
        default: return false
        }
    }
}
